// Two sliders, one network: what fits a latency budget and an accuracy floor.
import { address, get, segment } from "./api.js";
import { describe, sketch } from "./architecture.js";
import { h, page, ready, replace, simulated } from "./dom.js";
import { isHigherBetter, metricLabel, metricText } from "./format.js";
import { live } from "./live.js";
import { loadPoints, shades } from "./points.js";
import { scatter } from "./scatter.js";
import { facts } from "./table.js";

const STEPS = 400;
const name = page().dataset.search;
const path = `/searches/${segment(name)}`;
const first = await get(path);
const { objectives } = first.experiment;
const state = {
  device: objectives.find((objective) => objective.device)?.device ?? first.devices[0] ?? null,
  x: "latency_ms",
  y: objectives.find((objective) => !objective.device)?.name ?? "miou",
  points: null,
  members: [],
  budget: null,
  floor: null,
  sure: true,
};
const architectures = new Map();

const ends = (values) => values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);

const least = (indices, values) => indices.reduce((low, index) => Math.min(low, values[index]), Infinity);

/** What the latency may be at worst. */
const worst = (points) => points.x.map((latency, index) => Math.max(latency, points.xInterval?.[index]?.[1] ?? latency));

/** From the fastest to where even the slowest one's interval fits. */
const budgets = (points) => [ends(points.x)[0], ends(worst(points))[1]];

/** The best accuracy of those that fit; of equals the fastest. sure: the whole interval fits. */
const choose = () => {
  const { points, budget, floor, sure } = state;
  const higher = isHigherBetter(state.y) ? 1 : -1;
  const latencies = sure ? worst(points) : points.x;
  const fits = state.members.filter((index) => latencies[index] <= budget && higher * (points.y[index] - floor) >= 0);
  return fits.sort((a, b) => higher * (points.y[b] - points.y[a]) || points.x[a] - points.x[b])[0] ?? null;
};

const slider = (label, key, onmove) => {
  const input = h("input", { type: "range", id: key, min: 0, max: STEPS, step: 1, "data-key": key });
  const said = h("output", { for: key });
  input.addEventListener("input", () => onmove(Number(input.value) / STEPS));
  return { element: h("div", { class: "slider" }, h("label", { for: key }, label, said), input), input, said };
};

const budget = slider("Latency budget, at most", "budget", (share) => {
  const [low, high] = budgets(state.points);
  state.budget = share === 1 ? high : low + (high - low) * share;
  show();
});
const floor = slider("Accuracy floor, at least", "floor", (share) => {
  const [low, high] = ends(state.points.y);
  state.floor = low + (high - low) * share;
  show();
});
const sure = h("label", {}, h("input", { type: "checkbox", checked: true, onchange: (event) => {
  state.sure = event.target.checked;
  show();
} }), "its whole 95 % interval must fit");

const answer = h("div", { class: "pick-answer", "aria-live": "polite" });
const plot = scatter({
  onopen: (index) => location.assign(`/candidates/${state.points.ids[index]}`),
  onbrush: (range) => range && fit(range.x[1], range.y[0]),
  describe: async (index) => sketch(await architecture(state.points.ids[index])),
});
const architecture = (id) => {
  if (!architectures.has(id)) architectures.set(id, get(`/candidates/${id}`).then((found) => found.architecture));
  return architectures.get(id);
};

const fit = (most, least) => {
  Object.assign(state, { budget: most, floor: least });
  show();
};

const show = () => {
  const { points } = state;
  if (!points?.ids.length) return replace(answer, h("p", { class: "empty" }, "Nothing is complete yet."));
  const [lowX, highX] = budgets(points);
  const [lowY, highY] = ends(points.y);
  // Half-way, and never so little that there is no answer to begin with.
  state.budget ??= Math.min(highX, Math.max(lowX + (highX - lowX) * 0.5, least(state.members, worst(points))));
  state.floor ??= isHigherBetter(state.y) ? lowY : highY;
  budget.input.value = Math.round(((state.budget - lowX) / (highX - lowX || 1)) * STEPS);
  floor.input.value = Math.round(((state.floor - lowY) / (highY - lowY || 1)) * STEPS);
  budget.said.textContent = metricText(state.x, state.budget);
  floor.said.textContent = metricText(state.y, state.floor);
  for (const [each, key, value] of [[budget, state.x, state.budget], [floor, state.y, state.floor]]) each.input.setAttribute("aria-valuetext", metricText(key, value));
  const fits = (index) => points.x[index] <= state.budget && (isHigherBetter(state.y) ? points.y[index] >= state.floor : points.y[index] <= state.floor);
  const all = [...points.ids.keys()];
  const chosen = choose();
  plot.show({
    points: { ...points, shade: shades(points.generation).bins },
    xName: state.x,
    yName: state.y,
    visible: all.filter(fits),
    faint: all.filter((index) => !fits(index)),
    front: chosen === null ? [] : [chosen],
    shadeName: "generation",
    shadeText: (index) => String(points.generation[index]),
  });
  return chosen === null ? refuse() : tell(chosen);
};

const refuse = () => {
  page().dataset.answer = "none";
  replace(answer, h("h2", {}, "No network is like that"), h("p", {}, "Give it more time, or ask for less accuracy."));
};

const tell = async (index) => {
  const { points } = state;
  const id = points.ids[index];
  page().dataset.answer = id;
  const interval = points.xInterval?.[index];
  replace(
    answer,
    h("div", { class: "title" }, h("h2", {}, `Candidate ${id}`), simulated(points.simulated[index])),
    h("p", { class: "big" }, `${metricText(state.y, points.y[index])} ${metricLabel(state.y)} in ${metricText(state.x, points.x[index])}`),
    facts([["95 % interval", interval && `${metricText(state.x, interval[0])} – ${metricText(state.x, interval[1])}`], ["Device class", state.device]]),
    h("div", { class: "actions" }, h("a", { class: "button primary", href: address(`/candidates/${id}/export`), download: "", "data-key": "export" }, "Export (zip)"), h("a", { class: "button", href: `/candidates/${id}`, "data-key": "open" }, "Look at it")),
    h("p", { class: "hint" }, h("code", {}, `paretofarm export ${id}`)),
    points.simulated[index] && h("p", { class: "hint" }, "Its latency is simulated: measure it on a handset before you rely on it."),
  );
  const found = await architecture(id);
  if (page().dataset.answer === String(id)) answer.append(h("div", { class: "hover-sketch" }, sketch(found) ?? ""), h("p", { class: "hint" }, describe(found)));
};

let complete = null;
ready(
  h("div", { class: "head" }, h("h1", {}, "Pick a network")),
  h("div", { class: "grid" }, h("section", { class: "card wide stack", "aria-label": "What you need" }, budget.element, floor.element, h("div", { class: "controls" }, sure), plot.element), h("section", { class: "card narrow", "aria-label": "Answer" }, answer)),
);
if (!state.device) replace(answer, h("p", { class: "empty" }, "This search measures no latency: there is nothing to weigh. Its page has all metrics to choose from."));
else await live(
  async () => {
    const progress = await get(`${path}/progress`);
    if (progress.candidates.complete === complete) return;
    complete = progress.candidates.complete;
    const asked = { device: state.device, x: state.x, y: state.y };
    const [points, front] = await Promise.all([loadPoints(name, asked), get(`${path}/front`, { ...asked, confident: true })]);
    const members = new Set(front.candidates.map(({ id }) => id));
    state.points = points;
    state.members = [...points.ids.keys()].filter((index) => members.has(points.ids[index]));
    show();
  },
  { search: name },
);
