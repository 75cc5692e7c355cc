// Candidates or searches side by side.
import { get, segment } from "./api.js";
import { sketch } from "./architecture.js";
import { axis, chart, COLOURS, GRID, upAxis } from "./chart.js";
import { button, h, ready, replace, simulated } from "./dom.js";
import { duration, inOrder, isHigherBetter, isPerDevice, metricLabel, metricText } from "./format.js";
import { step } from "./pareto.js";
import { badge } from "./status.js";
import { asTable } from "./table.js";

const MOST = 6;
const asked = new URLSearchParams(location.search);
const listed = (key) => [...new Set((asked.get(key) ?? "").split(",").map((each) => each.trim()).filter(Boolean))].slice(0, MOST);

const go = (key, values) => location.assign(`/compare?${key}=${values.map(encodeURIComponent).join(",")}`);
const swatch = (index) => h("i", { class: "line", style: { "--swatch": COLOURS[index] } });

// What to compare

const candidateForm = (ids) => {
  const input = h("input", { name: "ids", value: ids.join(", "), placeholder: "12, 15, 31", inputmode: "numeric", "aria-label": "Ids of candidates", size: 24 });
  const form = h("form", { class: "controls" }, h("label", {}, "Candidates ", input), h("button", { type: "submit" }, "Compare"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go("candidates", input.value.split(/[\s,]+/).filter((each) => /^\d+$/.test(each)));
  });
  return form;
};

const searchForm = async (names) => {
  const { searches } = await get("/searches");
  const boxes = searches.map(({ name }) => h("label", {}, h("input", { type: "checkbox", name, checked: names.includes(name) }), name));
  const form = h("form", { class: "controls" }, boxes, h("button", { type: "submit" }, "Compare searches"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go("searches", [...form.querySelectorAll("input:checked")].map(({ name }) => name));
  });
  return form;
};

// Candidates

const metricRows = (found) => {
  const keys = inOrder(Object.assign({}, ...found.map((each) => each.metrics))).map(([key]) => key);
  return keys.map((key) => {
    const values = found.map((each) => each.metrics[key] ?? null);
    const known = values.filter((value) => value !== null);
    const best = isHigherBetter(key) ? Math.max(...known) : Math.min(...known);
    return h("tr", {}, h("th", { scope: "row" }, metricLabel(key)), values.map((value) => h("td", { class: `number${value === best && new Set(known).size > 1 ? " best" : ""}` }, metricText(key, value))));
  });
};

const choiceRows = (found) => {
  const names = [...new Set(found.flatMap((each) => Object.keys(each.architecture.choices)))];
  const differing = names.filter((name) => new Set(found.map((each) => JSON.stringify(each.architecture.choices[name]))).size > 1);
  return differing.map((name) => h("tr", {}, h("th", { scope: "row" }, h("code", {}, name)), found.map((each) => h("td", { class: "number" }, String(each.architecture.choices[name] ?? "–")))));
};

const side = (caption, found, rows) =>
  h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, h("td", {}), found.map((each) => h("th", { scope: "col", class: "number" }, h("a", { href: `/candidates/${each.id}` }, `Candidate ${each.id}`))))), h("tbody", {}, rows)),
  );

const curves = (found) => {
  const trained = found.filter((each) => each.epochs.length);
  if (!trained.length) return null;
  const [[metric]] = inOrder(trained[0].epochs[0].metrics);
  const canvas = h("div", { class: "chart small" });
  const series = (color, each) => ({ type: "line", silent: true, animation: false, symbolSize: 6, lineStyle: { color, width: 2 }, itemStyle: { color }, data: each.epochs.map((epoch) => [epoch.epoch, epoch.metrics[metric]]) });
  queueMicrotask(() => chart(canvas, (colours) => ({ animation: false, grid: GRID, xAxis: axis(colours, "epoch", { minInterval: 1, min: 1, nameGap: 22 }), yAxis: upAxis(colours, metricLabel(metric), { scale: true }), series: trained.map((each) => series(COLOURS[found.indexOf(each)], each)) }), `${metricLabel(metric)} by epoch of ${trained.length} candidates`));
  const longest = Math.max(...trained.map((each) => each.epochs.length));
  return h("section", { class: "card half", "aria-label": "Learning curves" }, h("h2", {}, "Learning curves"), canvas, h("div", { class: "legend" }, trained.map((each) => h("span", {}, swatch(found.indexOf(each)), `${each.id}`))), asTable({ caption: "Learning curves", rows: Array.from({ length: longest }, (_, index) => index), columns: [{ name: "epoch", label: "Epoch", number: true, cell: (index) => index + 1 }, ...trained.map((each) => ({ name: each.id, label: `Candidate ${each.id}`, number: true, cell: (index) => metricText(metric, each.epochs[index]?.metrics[metric]) }))] }));
};

const candidates = async (ids) => {
  const found = await Promise.all(ids.map((id) => get(`/candidates/${segment(id)}`)));
  const heads = found.map((each, index) =>
    h("div", { class: "card compare-card" }, h("div", { class: "title" }, h("h2", {}, swatch(index), " ", h("a", { href: `/candidates/${each.id}` }, `Candidate ${each.id}`)), h("span", {}, badge(each.status), " ", simulated(each.simulated))), h("p", { class: "hint" }, each.search), sketch(each.architecture), button("Remove", () => go("candidates", ids.filter((id) => id !== String(each.id))), { class: "plain", "aria-label": `Remove candidate ${each.id}`, "data-key": `remove-${each.id}` })),
  );
  const choices = choiceRows(found);
  return [
    h("div", { class: "search-cards" }, heads),
    h("div", { class: "grid" }, h("section", { class: "card half", "aria-label": "Metrics" }, h("h2", {}, "Metrics"), side("The best of each row is bold", found, metricRows(found))), curves(found), h("section", { class: "card", "aria-label": "Choices" }, h("h2", {}, "Choices that differ"), choices.length ? side(`${choices.length} choices differ`, found, choices) : h("p", { class: "hint" }, "None."))),
  ];
};

// Searches

/** What a search's networks are to be good at. */
const qualityOf = ({ experiment: { objectives } }) => objectives.map(({ name }) => name).find((name) => isHigherBetter(name) && !isPerDevice(name)) ?? "miou";

const frontOf = async (search, quality) => {
  const front = await get(`/searches/${segment(search.name)}/front`, { x: "latency_ms", y: quality });
  const points = front.candidates.filter(({ metrics }) => metrics.latency_ms !== undefined && metrics[quality] !== undefined);
  points.sort((a, b) => a.metrics.latency_ms - b.metrics.latency_ms);
  return { search, device: front.device, x: points.map(({ metrics }) => metrics.latency_ms), y: points.map(({ metrics }) => metrics[quality]), points };
};

const fronts = (found, quality) => {
  const canvas = h("div", { class: "chart" });
  const series = ({ x, y }, index) => [
    { type: "line", silent: true, animation: false, showSymbol: false, lineStyle: { color: COLOURS[index], width: 2 }, step: step(false), data: x.map((value, place) => [value, y[place]]) },
    { type: "scatter", silent: true, animation: false, symbolSize: 8, itemStyle: { color: COLOURS[index] }, data: x.map((value, place) => [value, y[place]]) },
  ];
  queueMicrotask(() => chart(canvas, (colours) => ({ animation: false, grid: GRID, xAxis: axis(colours, metricLabel("latency_ms", { unit: true }), { scale: true, nameGap: 22 }), yAxis: upAxis(colours, metricLabel(quality), { scale: true }), series: found.flatMap(series) }), `Fronts of ${found.map(({ search }) => search.name).join(", ")}`));
  const rows = found.flatMap(({ search, points }) => points.map((point) => ({ search, point })));
  return h("section", { class: "card wide", "aria-label": "Fronts" }, h("h2", {}, "Fronts"), canvas, h("div", { class: "legend" }, found.map(({ search, device }, index) => h("span", {}, swatch(index), `${search.name} on ${device ?? "no phone"}`))), asTable({ caption: "Fronts", rows, columns: [{ name: "search", label: "Search", cell: ({ search }) => search.name }, { name: "id", label: "Candidate", number: true, cell: ({ point }) => h("a", { href: `/candidates/${point.id}` }, point.id) }, { name: quality, label: metricLabel(quality), number: true, cell: ({ point }) => metricText(quality, point.metrics[quality]) }, { name: "latency", label: "Latency", number: true, cell: ({ point }) => metricText("latency_ms", point.metrics.latency_ms) }] }));
};

const numbers = (found, quality) => {
  const rows = [
    ["Status", ({ search }) => badge(search.status)],
    ["Complete", ({ search }) => `${search.candidates.complete} of ${search.target}`],
    ["On the front", ({ search }) => search.front],
    [`Best ${metricLabel(quality)}`, ({ y }) => metricText(quality, y.length ? Math.max(...y) : null)],
    ["Least latency", ({ x }) => metricText("latency_ms", x.length ? Math.min(...x) : null)],
    ["Hypervolume of the start's", ({ search }) => (search.hypervolume_ratio === null ? "–" : `× ${search.hypervolume_ratio.toFixed(2)}`)],
    ["Took", ({ search }) => duration(search.elapsed_s)],
    ["Algorithm", ({ search }) => search.experiment.algorithm.type],
    ["Space", ({ search }) => search.experiment.search_space.type],
    ["Simulated", ({ search }) => search.simulated_devices.join(", ") || "no"],
  ];
  return h("section", { class: "card narrow", "aria-label": "Numbers" }, h("h2", {}, "Numbers"), h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Numbers of the searches" }, h("table", {}, h("thead", {}, h("tr", {}, h("td", {}), found.map(({ search }) => h("th", { scope: "col" }, h("a", { href: `/searches/${segment(search.name)}` }, search.name))))), h("tbody", {}, rows.map(([label, cell]) => h("tr", {}, h("th", { scope: "row" }, label), found.map((each) => h("td", {}, cell(each)))))))));
};

const searches = async (names) => {
  const searches = await Promise.all(names.map((name) => get(`/searches/${segment(name)}`)));
  const quality = qualityOf(searches[0]);
  const found = await Promise.all(searches.map((search) => frontOf(search, quality)));
  return h("div", { class: "grid" }, fronts(found, quality), numbers(found, quality));
};

const ids = listed("candidates");
const names = listed("searches");
const body = h("div", { class: "stack" });
ready(h("section", { class: "card compare-choice", "aria-label": "What to compare" }, candidateForm(ids), await searchForm(names)), body);
try {
  if (ids.length) replace(body, await candidates(ids));
  else if (names.length) replace(body, await searches(names));
  else replace(body, h("p", { class: "empty" }, "Tick candidates in a search's table, or choose here."));
} catch (error) {
  replace(body, h("p", { class: "notice bad", role: "alert" }, error.message));
}
