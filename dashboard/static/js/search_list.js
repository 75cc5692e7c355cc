// All searches.
import { get, segment } from "./api.js";
import { h, page, ready, simulated } from "./dom.js";
import { ago, count, duration, rate } from "./format.js";
import { live } from "./live.js";
import { badge } from "./status.js";

const HOW = "paretofarm search start examples/faces_demo.yaml";

const card = (search) => {
  const complete = search.candidates.complete ?? 0;
  return h(
    "article",
    { class: "card" },
    h("div", { class: "title" }, h("h2", {}, h("a", { href: `/searches/${segment(search.name)}` }, search.name)), h("span", { class: "actions" }, simulated(search.simulated_devices.length > 0), badge(search.status))),
    h("progress", { max: search.target, value: complete, "aria-label": `${complete} of ${search.target} candidates complete` }),
    h(
      "div",
      { class: "pairs" },
      h("span", {}, h("b", {}, `${count(complete)} / ${count(search.target)}`), " complete"),
      h("span", {}, h("b", {}, count(search.front)), " on the front"),
      search.per_minute !== null && search.status === "running" && h("span", {}, h("b", {}, rate(search.per_minute)), " per minute"),
      search.eta_s !== null && search.status === "running" && h("span", {}, h("b", {}, duration(search.eta_s)), " left"),
    ),
    h("p", { class: "hint" }, `started ${ago(search.created_at)} · ${search.devices.join(", ") || "no device class"}`),
    search.control_of && h("p", { class: "hint" }, "random control of ", h("a", { href: `/searches/${segment(search.control_of)}` }, search.control_of)),
    search.final_of && h("p", { class: "hint" }, "trains the best of ", h("a", { href: `/searches/${segment(search.final_of)}` }, search.final_of), " to the end"),
    search.reason && h("p", { class: "trouble" }, search.reason),
  );
};

const nothing = () =>
  h("div", { class: "card empty" }, h("h2", {}, "No search yet"), h("p", {}, "One YAML file describes a search:"), h("p", {}, h("code", {}, HOW)));

await live(async () => {
  const { searches } = await get("/searches");
  const newestFirst = [...searches].reverse();
  ready(searches.length ? h("div", { class: "search-cards" }, newestFirst.map(card)) : nothing());
  page().dataset.count = searches.length;
});
