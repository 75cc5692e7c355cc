// How much of the space between worst and best the front has conquered, against what that cost.
import { get, segment } from "./api.js";
import { axis, chart, COLOURS, GRID } from "./chart.js";
import { button, h, replace } from "./dom.js";
import { count, duration } from "./format.js";
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
    yAxis: axis(colours, "× of the first ones'", { scale: true, nameGap: 36 }),
    series: curves.map((curve, index) => ({ type: "line", step: "end", silent: true, animation: false, showSymbol: false, lineStyle: { width: 2, color: COLOURS[index], type: index ? "dashed" : "solid" }, data: curve[against].map((x, place) => [x, curve.values[place]]) })),
  });

  const draw = () => {
    const own = curves[0];
    canvas.hidden = !own?.values.length;
    if (!own?.values.length) {
      replace(numbers, h("p", { class: "hint" }, "Known once eight candidates are complete."));
      return;
    }
    const words = `Hypervolume, × ${own.values.at(-1).toFixed(2)} of that of the first candidates after ${own.evaluations.at(-1)} evaluations`;
    if (drawn) drawn.update();
    else drawn = chart(canvas, option, words);
    canvas.setAttribute("aria-label", words);
    replace(legend, curves.map(({ name, control }, index) => h("span", {}, h("i", { class: "line", style: { "--swatch": COLOURS[index] } }), control ? `${name} (random search)` : name)));
    const every = Math.max(1, Math.ceil(own.values.length / ROWS));
    const places = own.values.map((_, place) => place).filter((place) => place % every === 0 || place === own.values.length - 1);
    replace(numbers, asTable({ caption: "Hypervolume", rows: places, columns: [...AGAINST.map(([key, label]) => ({ name: key, label, number: true, cell: (place) => (key === "evaluations" ? count(own[key][place]) : duration(own[key][place])) })), { name: "value", label: "Hypervolume", number: true, cell: (place) => `× ${own.values[place].toFixed(3)}` }] }));
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
      curves = found.curves;
      draw();
    },
  };
}
