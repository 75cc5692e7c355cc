// How much of the space between worst and best the front has conquered, against what that cost.
import { get, segment } from "./api.js";
import { axis, chart, COLOURS, GRID, upAxis } from "./chart.js";
import { button, h, replace } from "./dom.js";
import { count, duration, words } from "./format.js";
import { asTable } from "./table.js";

const AGAINST = [["evaluations", "Evaluations"], ["seconds", "Time"], ["train_s", "Training"]];
const ROWS = 12;

/** A card with the curve of this search and, where one of the same space was random, of that. */
export function hypervolumeCard(search) {
  let against = "evaluations";
  let curves = [];
  let drawn = null;
  const canvas = h("div", { class: "chart small" });
  const legend = h("div", { class: "legend" });
  const numbers = h("div", {});
  const choice = h("div", { class: "actions", role: "group", "aria-label": "Hypervolume against" }, AGAINST.map(([key, label]) => button(label, () => choose(key), { "data-against": key, "aria-pressed": String(key === against) })));
  const element = h("section", { class: "card", "aria-label": "Hypervolume" }, h("div", { class: "title" }, h("h2", {}, "Hypervolume"), choice), canvas, legend, numbers);
  const text = (value) => (against === "evaluations" ? count(value) : duration(value));

  const option = (colours) => ({
    animation: false,
    grid: GRID,
    xAxis: axis(colours, "", { axisLabel: { color: colours.muted, hideOverlap: true, formatter: text } }),
    yAxis: upAxis(colours, "× of the start's", { scale: true }),
    series: curves.map((curve, index) => ({ type: "line", step: "end", silent: true, animation: false, showSymbol: false, lineStyle: { width: 2, color: COLOURS[index % COLOURS.length], type: index ? "dashed" : "solid" }, data: line(curve) })),
  });

  /** Steps, and the level where it is now. */
  const line = (curve) => {
    const points = curve.steps.map((step) => [step[against], step.value]);
    return points.length ? [...points, [curve[against], points.at(-1)[1]]] : [];
  };

  const draw = () => {
    const [own] = curves;
    canvas.hidden = !own?.steps.length;
    if (!own?.steps.length) {
      replace(numbers, h("p", { class: "hint" }, "Known once eight candidates are complete."));
      return;
    }
    const said = `Hypervolume, × ${own.steps.at(-1).value.toFixed(2)} of that of the first eight after ${own.evaluations} evaluations`;
    if (drawn) drawn.update();
    else drawn = chart(canvas, option, said);
    canvas.setAttribute("aria-label", said);
    replace(legend, curves.map(({ search: name, algorithm }, index) => h("span", {}, h("i", { class: "line", style: { "--swatch": COLOURS[index % COLOURS.length] } }), index ? `${name} (control: ${algorithm})` : `${name} (${words(algorithm)})`)));
    replace(numbers, steps(own));
  };

  const steps = ({ steps: all }) => {
    const every = Math.max(1, Math.ceil(all.length / ROWS));
    const rows = all.filter((_, place) => place % every === 0 || place === all.length - 1);
    const cell = (key) => (step) => (key === "evaluations" ? count(step[key]) : duration(step[key]));
    return asTable({ caption: "Hypervolume", rows, columns: [...AGAINST.map(([name, label]) => ({ name, label, number: true, cell: cell(name) })), { name: "value", label: "Hypervolume", number: true, cell: (step) => `× ${step.value.toFixed(3)}` }] });
  };

  const choose = (key) => {
    against = key;
    for (const each of choice.children) each.setAttribute("aria-pressed", String(each.dataset.against === key));
    draw();
  };

  return {
    element,
    async load(device) {
      const found = await get(`/searches/${segment(search)}/hypervolume`, { device });
      curves = found.own ? [found.own, ...found.controls] : [];
      draw();
    },
  };
}
