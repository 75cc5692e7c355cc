// One search, live: the front, how it came about, what is being done, and the candidates themselves.
import { address, get, may, segment } from "./api.js";
import { sketch } from "./architecture.js";
import { candidateTable } from "./candidate_table.js";
import { RAMP } from "./chart.js";
import { h, page, ready, replace } from "./dom.js";
import { evolution } from "./evolution.js";
import { count, duration, metricLabel, metricText, METRICS, plain } from "./format.js";
import { hypervolumeCard } from "./hypervolume.js";
import { live } from "./live.js";
import { front as frontOf } from "./pareto.js";
import { axisChoices, ownAxes } from "./plot_axes.js";
import { loadPoints, shades, withMembers } from "./points.js";
import { scatter } from "./scatter.js";
import { header, stages, tiles } from "./search_parts.js";

const name = page().dataset.search;
const path = `/searches/${segment(name)}`;
const GREAT = 3000;
const first = await get(path);
const own = ownAxes(first);

/** z: a third metric of the front, or "". colour, size: what they say of a point; `third` is z. */
const state = {
  ...own,
  colour: own.z ? "third" : "generation",
  size: "equal",
  confident: false,
  where: "",
  until: null,
  points: null,
  front: { candidates: [], in_doubt: [], axes: [] },
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

const shown = [state.y, state.x, ...(state.z ? [state.z] : []), "latency_ms", "parameters", "macs", "network_bytes"];
const metrics = [...new Set(shown)].filter((each) => state.device || !METRICS[each]?.perDevice);
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
  if (key === "z") state.colour = value ? "third" : "generation";
  if (!value) state.size = "equal";
  drawControls();
  await loadPlot();
};
const say = (key) => (value) => {
  state[key] = value;
  show();
};
const axes = (...taken) => axisChoices(state.device, first.devices).filter(([name]) => !taken.includes(name));
const third = () => (state.z ? [["third", metricLabel(state.z)]] : []);
const confident = h("label", { title: "Show members too that overlapping 95 % intervals leave in doubt" }, h("input", { type: "checkbox", onchange: (event) => change("confident")(event.target.checked) }), "in doubt too");
const controls = h("div", { class: "controls" });
const drawControls = () =>
  replace(
    controls,
    first.devices.length > 1 && select("Phone", "device", first.devices.map((each) => [each, each]), change("device")),
    select("Across", "x", axes(state.y, state.z), change("x")),
    select("Up", "y", axes(state.x, state.z), change("y")),
    select("Third", "z", [["", "none"], ...axes(state.x, state.y)], change("z")),
    select("Colour", "colour", [...third(), ["generation", "generation"], ["cost", "cost of training"], ["order", "order"]], say("colour")),
    state.z && select("Size", "size", [["equal", "equal"], ...third()], say("size")),
    confident,
  );
drawControls();

const box = h("input", { type: "text", name: "where", placeholder: `latency_ms < 4 and ${METRICS[own.y]?.better === "higher" ? own.y : "miou"} > 0.6`, "aria-label": "Filter candidates by a condition", autocomplete: "off", spellcheck: "false", maxlength: 2000, "data-key": "where" });
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
  const { front, doubtful } = state.until === null ? members(points) : { front: frontThen(points, wanted), doubtful: [] };
  const { values, name: shadeName, text } = shading(points, all);
  const { bins, low, high } = shades(all.map((index) => values[index] ?? NaN));
  plot.show({
    points: { ...points, shade: bins, size: state.size === "third" ? shades(points.z).bins : null },
    xName: state.x,
    yName: state.y,
    zName: state.z || null,
    visible: wanted,
    faint,
    front,
    doubtful,
    shadeName,
    shadeText: state.colour === "third" ? null : (index) => text(values[index]),
    ...(state.until === null ? {} : ranges(points)),
  });
  drawLegend({ shadeName, low: text(low), high: text(high) });
};

/** What colours say: a value for every point, what it is called, and how it is written. */
const shading = (points, all) => {
  const known = (write) => (value) => (Number.isFinite(value) ? write(value) : "–");
  if (state.colour === "third") return { values: points.z, name: metricLabel(state.z), text: known((value) => metricText(state.z, value)) };
  if (state.colour === "order") return { values: all, name: "order", text: known(count) };
  if (state.colour === "cost") return { values: points.cost, name: "training", text: known(duration) };
  return { values: points.generation, name: "generation", text: known(count) };
};

const drawLegend = ({ shadeName, low, high }) =>
  replace(
    legend,
    state.z ? h("span", {}, h("i", { class: "rim" }), "front of three metrics") : h("span", {}, h("i", { class: "line swatch-front" }), "front"),
    h("span", {}, `${shadeName} ${low}`, ramp, high),
    state.size === "third" && h("span", {}, `the larger the more: ${metricLabel(state.z)}`),
    h("span", {}, "bars: 95 % interval"),
    state.matching && h("span", {}, h("i", {}), "not in the filter"),
  );

/** The front of those alone that were finished then. */
const frontThen = (points, among) => {
  const goals = new Map(state.front.axes.map(({ name: axis, goal }) => [axis, goal]));
  const names = [state.x, state.y, ...(state.z ? [state.z] : [])];
  return frontOf([points.x, points.y, ...(state.z ? [points.z] : [])], names.map((each) => goals.get(each) === "maximize"), among);
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
  const asked = { device: state.device, x: state.x, y: state.y, z: state.z, where: state.where };
  const [points, front, matching] = await Promise.all([
    loadPoints(name, asked),
    get(`${path}/front`, { ...asked, confident: state.confident || null }),
    state.where ? matchingIds(asked) : null,
  ]);
  Object.assign(state, { points: withMembers(points, front.candidates, asked), front, matching });
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

let cost = null;
const loadCost = async () => {
  cost = await get(`${path}/cost`);
};

const refresh = async () => {
  const search = await read();
  last = search;
  drawHead(search);
  replace(numbers, tiles(search, trained(), cost));
  replace(work, stages(search));
  page().dataset.complete = search.candidates.complete;
  const now = JSON.stringify(search.candidates);
  if (now === mark) return;
  await Promise.all([loadPlot(), list.load(), hypervolume.load(state.device), loadCost()]);
  replace(numbers, tiles(search, trained(), cost));
  mark = now;
};

document.querySelector("#csv").href = address(`${path}/candidates`, { format: "csv", limit: 10_000 });
await list.filter({ device: state.device });
await live(refresh, { search: name });
