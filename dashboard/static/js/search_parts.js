// A search's head, its numbers and its work.
import { get, segment, send } from "./api.js";
import { ask, attempt, button, h, simulated, toast } from "./dom.js";
import { count, duration, rate, words } from "./format.js";
import { badge } from "./status.js";

export const header = (search, { mayOperate, mayDelete }) => {
  const path = `/searches/${segment(search.name)}`;
  const act = (label, action, key, more = {}) => button(label, (event) => attempt(event.currentTarget, action), { "data-key": key, ...more });
  const post = (verb, said) => async () => {
    await send("POST", `${path}/${verb}`);
    toast(said);
  };
  return [
    h(
      "div",
      { class: "head" },
      h("h1", {}, search.name),
      badge(search.status),
      simulated(search.simulated_devices.length > 0),
      h(
        "div",
        { class: "actions" },
        h("a", { class: "button primary", href: `${location.pathname}/pick`, "data-key": "pick" }, "Pick a network"),
        h("a", { class: "button", href: `/compare?searches=${segment(search.name)}`, "data-key": "compare-searches" }, "Compare"),
        mayOperate && search.status === "running" && act("Stop", post("stop", "stops: what is in flight comes to its end"), "stop"),
        mayOperate && search.status === "stopped" && act("Resume", post("resume", "goes on"), "resume"),
        mayOperate && search.status !== "running" && search.front > 0 && !search.final_of && act("Train the best", () => finish(path), "finish"),
        mayOperate && act("Raise the limit", () => raise(search, path), "raise"),
        mayDelete && search.status !== "running" && act("Delete", () => remove(search, path), "delete", { class: "danger" }),
      ),
    ),
    search.final_of && h("p", { class: "hint" }, "Trains the best networks of ", h("a", { href: `/searches/${segment(search.final_of)}` }, search.final_of), " to the end."),
    search.reason && h("p", { class: "notice bad" }, search.reason),
    search.simulated_devices.length > 0 && h("p", { class: "hint" }, `Latencies on ${search.simulated_devices.join(", ")} are simulated: nothing of them was measured on silicon.`),
  ];
};

const finish = async (path) => {
  const body = h("div", {}, h("p", {}, "The networks on the front are trained from scratch and wholly, quantized, measured and scored again, by a search of its own."), h("label", {}, "Epochs: ", h("input", { type: "number", name: "epochs", min: 1, max: 10000, step: 1, value: 30, required: true })));
  const answer = await ask({ title: "Train the best to the end", body, confirm: "Train" });
  if (!answer) return;
  const { name } = await send("POST", `${path}/finish`, { epochs: Number(answer.epochs) });
  location.assign(`/searches/${segment(name)}`);
};

const raise = async (search, path) => {
  const least = search.target + 1;
  const body = h("label", {}, "Complete candidates: ", h("input", { type: "number", name: "candidates", min: least, step: 1, value: search.target * 2, required: true }));
  const answer = await ask({ title: "Raise the limit", body, confirm: "Raise" });
  if (!answer) return;
  await send("PATCH", path, { stop: { candidates: Number(answer.candidates) } });
  toast(`goes on until ${answer.candidates} are complete`);
};

const remove = async (search, path) => {
  const { candidates } = await get(path);
  const total = Object.values(candidates).reduce((sum, value) => sum + value, 0);
  const body = h("p", {}, `All ${count(total)} candidates of ${search.name}, their measurements and the files that no other search uses are gone for ever.`);
  if (!(await ask({ title: `Delete ${search.name}?`, body, confirm: "Delete for ever", danger: true }))) return;
  await send("DELETE", path);
  location.assign("/");
};

const tile = (label, value, ...more) => h("div", { class: "tile" }, h("dt", {}, label), h("dd", {}, value, more));

const hours = (value) => `${value.toFixed(value < 0.1 ? 3 : value < 10 ? 2 : 0)} h`;

/** What the work so far has taken: hours of whatever trains and of phones, and where the experiment has rates the money. */
const costTile = (cost) => {
  const used = `${hours(cost.gpu_hours)} training · ${hours(cost.phone_hours)} phones`;
  return cost.cost === null ? tile("Used", hours(cost.gpu_hours + cost.phone_hours + cost.cpu_hours), h("small", {}, ` ${used}`)) : tile("Cost", `${cost.cost.toFixed(2)} ${cost.currency}`, h("small", {}, ` ${used}`));
};

/** trainedS: seconds of training that all complete candidates took together; cost: null until it is known. */
export const tiles = (search, trainedS, cost) => {
  const { complete = 0, failed = 0, infeasible = 0, paused = 0 } = search.candidates;
  const running = search.status === "running";
  return h(
    "dl",
    { class: "tiles" },
    tile("Complete", count(complete), h("small", {}, ` of ${count(search.target)}`), h("progress", { max: search.target, value: complete, "aria-label": "Complete candidates" })),
    tile("On the front", count(search.front)),
    tile("Hypervolume", search.hypervolume_ratio === null ? "–" : `× ${search.hypervolume_ratio.toFixed(2)}`, h("small", {}, " of the start's")),
    tile("Throughput", rate(search.per_minute), h("small", {}, " per minute")),
    tile(running ? "Left" : "Took", duration(running ? search.eta_s : search.elapsed_s), running && h("small", {}, ` after ${duration(search.elapsed_s)}`)),
    tile("Training", duration(trainedS), h("small", {}, " in all")),
    cost !== null && costTile(cost),
    paused > 0 && tile("Waiting", count(paused), h("small", {}, " trained to a rung")),
    tile("Not complete", count(failed + infeasible), h("small", {}, ` ${failed} failed · ${infeasible} infeasible`)),
  );
};

export const stages = (search) => {
  const entries = Object.entries(search.stages);
  const most = Math.max(1, ...entries.map(([, load]) => load.leased + load.queued));
  const failures = Object.entries(search.failures);
  return [
    entries.length
      ? h("dl", { class: "stages" }, entries.map(([stage, load]) => h("div", {}, h("dt", {}, stage), h("dd", {}, h("progress", { max: most, value: load.leased, "aria-label": `${stage}: ${load.leased} at work, ${load.queued} waiting` })), h("dd", { class: "number" }, `${load.leased} at work · ${load.queued} waiting`))))
      : h("p", { class: "hint" }, "Nothing is in flight."),
    failures.length > 0 && h("p", { class: "hint" }, "Failures: ", failures.map(([code, times]) => `${words(code)} ${times}`).join(", ")),
  ];
};
