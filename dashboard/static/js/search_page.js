// One search, live: the front, how it came about, what is being done, and the candidates themselves.
import { address, get, may, segment } from "./api.js";
import { sketch } from "./architecture.js";
import { candidateTable } from "./candidate_table.js";
import { RAMP } from "./chart.js";
import { h, page, ready, replace } from "./dom.js";
import { evolution } from "./evolution.js";
import { count, duration, isHigherBetter, metricLabel, METRICS, plain } from "./format.js";
import { hypervolumeCard } from "./hypervolume.js";
import { live } from "./live.js";
import { front as frontOf } from "./pareto.js";
import { loadPoints, shades } from "./points.js";
import { scatter } from "./scatter.js";
import { header, stages, tiles } from "./search_parts.js";

const name = page().dataset.search;
const path = `/searches/${segment(name)}`;
const GREAT = 3000;
const first = await get(path);
const objectives = first.experiment.objectives;

const state = {
  device: objectives.find((objective) => objective.device)?.device ?? first.devices[0] ?? null,
  x: "latency_ms",
  y: objectives.find((objective) => !objective.device)?.name ?? "miou",
  colour: "generation",
  confident: false,
  where: "",
  until: null,
  points: null,
  front: { candidates: [], in_doubt: [] },
  matching: null,
};

const drawings = new Map();
const drawing = async (id) => {
  if (!drawings.has(id)) drawings.set(id, get(`/candidates/${id}`).then((found) => found.architecture));
  return sketch(await drawings.get(id));
};

const plot = scatter({
  onopen: (index) => location.assign(`/candidates/${state.points.ids[index]}`),
  onbrush: (range) => brushed(range),
  describe: (index) => drawing(state.points.ids[index]),
});
const film = evolution((until) => {
  state.until = until;
  show();
});

const metrics = [...new Set([state.y, "latency_ms", "parameters", "macs", "network_bytes"])].filter((each) => each !== "latency_ms" || state.device);
const compare = h("a", { class: "button", hidden: true, "data-key": "compare" }, "Compare");
const list = candidateTable({
  search: name,
  metrics,
  onchoose: (chosen) => {
    compare.hidden = chosen.size < 2;
    compare.href = `/compare?candidates=${[...chosen].join(",")}`;
    compare.textContent = `Compare ${chosen.size}`;
  },
});

// Choosing what is shown

const select = (label, key, options, onchange) =>
  h("label", {}, label, h("select", { "data-key": `select-${key}`, onchange: (event) => onchange(event.target.value) }, options.map(([value, text]) => h("option", { value, selected: value === state[key] }, text))));
const change = (key) => async (value) => {
  state[key] = value;
  if (key === "device") await list.filter({ device: value });
  await loadPlot();
};
const axes = Object.keys(METRICS).map((each) => [each, metricLabel(each)]);
const confident = h("label", { title: "Show members too that overlapping 95 % intervals leave in doubt" }, h("input", { type: "checkbox", onchange: (event) => change("confident")(event.target.checked) }), "in doubt too");
const controls = h(
  "div",
  { class: "controls" },
  first.devices.length > 1 && select("Phone", "device", first.devices.map((each) => [each, each]), change("device")),
  select("Across", "x", axes, change("x")),
  select("Up", "y", axes, change("y")),
  select("Colour", "colour", [["generation", "generation"], ["cost", "cost of training"], ["order", "order"]], (value) => {
    state.colour = value;
    show();
  }),
  confident,
);

const box = h("input", { type: "text", name: "where", placeholder: "latency_ms < 4 and miou > 0.6", "aria-label": "Filter candidates by a condition", autocomplete: "off", spellcheck: "false", maxlength: 2000, "data-key": "where" });
const clear = h("button", { type: "button", hidden: true, onclick: () => plot.clearBrush() }, "Clear");
const filterForm = h("form", { class: "controls" }, h("label", { class: "search-box" }, h("span", { class: "visually-hidden" }, "Filter"), box), h("button", { type: "submit" }, "Filter"), clear);
filterForm.addEventListener("submit", (event) => {
  event.preventDefault();
  filter(box.value.trim());
});

const filter = async (where) => {
  const good = await list.filter({ where });
  box.setAttribute("aria-invalid", String(!good));
  if (!good) return;
  box.value = where;
  clear.hidden = !where;
  state.where = where;
  await loadPlot();
};

const span = (metric, [low, high]) => `${metric} >= ${plain(low)} and ${metric} <= ${plain(high)}`;
const brushed = (range) => filter(range ? `${span(state.x, range.x)} and ${span(state.y, range.y)}` : "");

// The plot

const legend = h("div", { class: "legend" });
const ramp = h("i", { class: "ramp", style: { "--ramp": RAMP.join(", ") } });

const show = () => {
  const { points } = state;
  if (!points) return;
  const until = state.until ?? points.ids.length;
  const all = [...points.ids.keys()];
  const wanted = all.slice(0, until).filter((index) => !state.matching || state.matching.has(points.ids[index]));
  const faint = state.matching ? all.slice(0, until).filter((index) => !state.matching.has(points.ids[index])) : [];
  const higher = { higherX: isHigherBetter(state.x), higherY: isHigherBetter(state.y) };
  const { front, doubtful } = state.until === null ? members(points) : { front: frontOf(points.x, points.y, { ...higher, among: wanted }), doubtful: [] };
  const values = state.colour === "order" ? all : points[state.colour] ?? [];
  const { bins, low, high } = shades(all.map((index) => values[index] ?? NaN));
  plot.show({
    points: { ...points, shade: bins },
    xName: state.x,
    yName: state.y,
    visible: wanted,
    faint,
    front,
    doubtful,
    shadeName: state.colour === "cost" ? "training" : state.colour,
    shadeText: (index) => (state.colour === "cost" ? duration(values[index]) : String(values[index])),
    ...(state.until === null ? {} : ranges(points)),
  });
  const ends = (value) => (!Number.isFinite(value) ? "–" : state.colour === "cost" ? duration(value) : count(value));
  replace(legend, h("span", {}, h("i", { class: "line swatch-front" }), "front"), h("span", {}, `${state.colour} ${ends(low)}`, ramp, ends(high)), h("span", {}, "bars: 95 % interval"), state.matching && h("span", {}, h("i", {}), "not in the filter"));
};

/** Members as the server says: it knows the search's constraints. */
const members = (points) => {
  const place = new Map(points.ids.map((id, index) => [id, index]));
  const doubted = new Set(state.front.in_doubt);
  const found = state.front.candidates.filter(({ id }) => place.has(id)).sort((a, b) => points.x[place.get(a.id)] - points.x[place.get(b.id)]);
  const placed = (is) => found.filter(({ id }) => doubted.has(id) === is).map(({ id }) => place.get(id));
  return { front: placed(false), doubtful: placed(true) };
};

/** While the film runs, the axes stand still. */
const ranges = (points) => {
  const range = (values) => {
    const [low, high] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
    const margin = (high - low) * 0.04;
    return { min: plain(low - margin), max: plain(high + margin) };
  };
  return { xRange: range(points.x), yRange: range(points.y) };
};

const loadPlot = async () => {
  const asked = { device: state.device, x: state.x, y: state.y, where: state.where };
  const [points, front, matching] = await Promise.all([
    loadPoints(name, asked),
    get(`${path}/front`, { ...asked, confident: state.confident || null }),
    state.where ? matchingIds(asked) : null,
  ]);
  Object.assign(state, { points, front, matching });
  film.update(points.finishedAt);
  show();
};

const matchingIds = async ({ device, where }) => {
  const found = await get(`${path}/candidates`, { device, where: `(${where}) and status = 'complete'`, fields: "id", limit: 10_000 });
  return new Set(found.candidates.map((row) => row.id));
};

// The page

const head = h("div", {});
const numbers = h("div", {});
const work = h("div", {});
const hypervolume = hypervolumeCard(name);
ready(
  head,
  numbers,
  h(
    "div",
    { class: "grid" },
    h("section", { class: "card wide", "aria-labelledby": "front-title" }, h("div", { class: "title" }, h("h2", { id: "front-title" }, "Pareto front"), controls), plot.element, legend, film.element),
    h("div", { class: "narrow stack" }, h("section", { class: "card", "aria-labelledby": "work-title" }, h("h2", { id: "work-title" }, "Work"), work), hypervolume.element),
    h("section", { class: "card", "aria-labelledby": "list-title" }, h("div", { class: "title" }, h("h2", { id: "list-title" }, "Candidates"), h("div", { class: "actions" }, compare, h("a", { class: "button", id: "csv" }, "CSV"))), filterForm, list.element),
  ),
);

let last = null;
let mark = null;

/** What changes by the second. A great search's front and hypervolume take a while: the plot brings them. */
const read = async () => {
  if (!last) return first;
  const isGreat = last.candidates.complete > GREAT;
  return isGreat ? { ...last, ...(await get(`${path}/progress`)) } : get(path);
};

const trained = () => (state.points ? state.points.cost.reduce((sum, seconds) => sum + seconds, 0) : null);

/** Only when it says something else: a button that is replaced under a finger is a click that is lost. */
const drawHead = (search) => {
  const { status, reason, target, simulated_devices } = search;
  const now = JSON.stringify([status, reason, target, simulated_devices]);
  if (now === head.dataset.state) return;
  head.dataset.state = now;
  replace(head, header(search, { mayOperate: may("operate"), mayDelete: may("admin") }));
};

const refresh = async () => {
  const search = await read();
  last = search;
  drawHead(search);
  replace(numbers, tiles(search, trained()));
  replace(work, stages(search));
  page().dataset.complete = search.candidates.complete;
  const now = JSON.stringify(search.candidates);
  if (now === mark) return;
  await Promise.all([loadPlot(), list.load(), hypervolume.load(state.device)]);
  replace(numbers, tiles(search, trained()));
  mark = now;
};

document.querySelector("#csv").href = address(`${path}/candidates`, { format: "csv", limit: 10_000 });
await list.filter({ device: state.device });
await live(refresh, { search: name });
