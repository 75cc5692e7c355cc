// Architectures as drawings: the hourglass with its levels, or, for a space that is not known here, its choices alone.
import { h, svg } from "./dom.js";

const KINDS = [["mbconv", "bottleneck"], ["dwsep", "separable"], ["conv", "conv"]];
const kindOf = (op) => KINDS.find(([start]) => op.startsWith(start))?.[1] ?? "conv";
const kernel = (op) => Number(/(\d)x\d/.exec(op)?.[1] ?? 3);

/** Every block of the network: where it is drawn, and its layers. */
export function plan(choices) {
  const layersOf = (block) =>
    Array.from({ length: Number(choices[`${block}.layers`] ?? 0) }, (_, index) => ({
      name: `${block}.layer${index + 1}.op`,
      op: String(choices[`${block}.layer${index + 1}.op`] ?? "conv"),
    }));
  const hourglasses = [];
  for (let number = 1; number <= Number(choices.hourglasses ?? 0); number += 1) {
    const name = `hourglass${number}`;
    const levels = [];
    let channels = Number(choices.base_channels ?? 0);
    for (let level = 1; choices[`${name}.down${level}.layers`] !== undefined; level += 1) {
      channels *= Number(choices[`${name}.down${level}.expansion`] ?? 1);
      levels.push({
        name,
        level,
        channels: Math.round(channels),
        down: layersOf(`${name}.down${level}`),
        skip: layersOf(`${name}.skip${level}`),
        up: layersOf(`${name}.up${level}`),
        isLast: choices[`${name}.down${level + 1}.layers`] === undefined,
      });
    }
    hourglasses.push(levels);
  }
  return { hourglasses, post: layersOf("post"), stem: choices.stem_stride, base: choices.base_channels, resolution: choices.resolution };
}

const WIDE = 118;
const ROW = 50;
const TOP = 34;

const layer = (each, x, y, { changed, wide = 13, tall = 26 }) =>
  svg(
    "rect",
    { class: `layer ${kindOf(each.op)}${changed?.has(each.name) ? " changed" : ""}`, x, y: y + tall / 2 - (6 + kernel(each.op) * 1.6), width: wide, height: 2 * (6 + kernel(each.op) * 1.6), rx: 3 },
    svg("title", {}, `${each.name}: ${each.op}`),
  );

/** A block: its layers beside one another, the taller the greater their kernels. */
const block = (layers, x, y, options) => {
  if (!layers.length) return svg("rect", { class: "identity", x: x + 8, y: y + 8, width: 18, height: 10, rx: 5 }, svg("title", {}, "identity"));
  return layers.map((each, index) => layer(each, x + index * 15, y, options));
};

const terminal = (x, y, lines) => [
  svg("rect", { class: "io", x, y, width: 74, height: 26, rx: 13 }),
  svg("text", { x: x + 37, y: y + 17, "text-anchor": "middle" }, lines),
];

/** The whole network. changed: names of choices to mark. */
export function graph(architecture, { changed = new Set() } = {}) {
  const { hourglasses, post, stem, base, resolution } = plan(architecture.choices);
  if (!hourglasses.length) return h("p", { class: "hint" }, "This space has no drawing: its choices are in the table below.");
  const depth = Math.max(...hourglasses.map((levels) => levels.length));
  const span = (levels) => levels.length * WIDE * 2 - WIDE + 40;
  const width = 110 + hourglasses.reduce((sum, levels) => sum + span(levels), 0) + 190;
  const height = TOP + depth * ROW + 30;
  const parts = [];
  let x = 92;
  parts.push(terminal(4, TOP, `stem /${stem ?? 1}`), svg("text", { class: "faint", x: 41, y: TOP + 42, "text-anchor": "middle" }, `${base} ch${resolution ? ` · ${resolution}²` : ""}`));
  for (const levels of hourglasses) {
    parts.push(hourglass(levels, x, changed));
    x += span(levels);
  }
  parts.push(svg("path", { class: "edge", d: `M${x - 46} ${TOP + 13}H${x}` }), block(post, x, TOP, { changed }));
  parts.push(svg("text", { class: "faint", x: x + 14, y: TOP + 42, "text-anchor": "middle" }, "post"));
  parts.push(svg("path", { class: "edge", d: `M${x + 34} ${TOP + 13}h26` }), terminal(x + 60, TOP, "1×1 → classes"));
  const words = describe(architecture);
  return h("div", { class: "architecture", tabindex: "0", role: "region", "aria-label": "Architecture drawing" }, svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words }, parts));
}

const hourglass = (levels, x, changed) => {
  const right = (level) => x + (levels.length * 2 - 1 - level) * WIDE;
  return levels.flatMap((each, index) => {
    const y = TOP + index * ROW;
    const left = x + index * WIDE;
    const parts = [svg("path", { class: "edge", d: index ? `M${left - WIDE + 15} ${y - ROW + 40}L${left - 4} ${y + 13}` : `M${left - 14} ${y + 13}h10` })];
    if (!each.isLast) {
      parts.push(svg("path", { class: "skip-edge", d: `M${left + 64} ${y + 13}H${right(index) - 8}` }));
      const middle = (left + right(index)) / 2 + 10;
      parts.push(svg("g", {}, block(each.skip, middle, y, { changed })));
      parts.push(svg("path", { class: "edge", d: `M${right(index + 1) + (index + 2 === levels.length ? 62 : 60)} ${y + ROW + 8}L${right(index) + 6} ${y + 32}` }));
      parts.push(block(each.up, right(index), y, { changed }));
    }
    parts.push(block(each.down, left, y, { changed }));
    const marked = changed.has(`${each.name}.down${each.level}.expansion`);
    parts.push(svg("text", { class: marked ? "" : "faint", x: left, y: y - 4 }, `${each.channels} ch · 1/${2 ** index}${marked ? " ●" : ""}`));
    return parts;
  });
};

const tally = (layers) => {
  const found = {};
  for (const { op } of layers) found[op] = (found[op] ?? 0) + 1;
  return Object.entries(found).sort((a, b) => b[1] - a[1]);
};

const all = ({ hourglasses, post }) => [...hourglasses.flat().flatMap(({ down, skip, up }) => [...down, ...skip, ...up]), ...post];

/** In words: what the drawing shows. */
export function describe(architecture) {
  const found = plan(architecture.choices);
  const ops = tally(all(found)).map(([op, times]) => `${times} × ${op}`);
  if (!ops.length) return Object.entries(architecture.choices).map(([name, value]) => `${name} ${value}`).join(", ");
  const { hourglasses, base, stem } = found;
  return `${hourglasses.length} hourglass${hourglasses.length > 1 ? "es" : ""} of ${hourglasses[0].length} levels, ${base} base channels, stem stride ${stem}; ${ops.join(", ")}`;
}

/** A thumbnail: one bar per layer in the order of computing, as low as its resolution, coloured by its operation. */
export function sketch(architecture) {
  const found = plan(architecture.choices);
  const bars = found.hourglasses.flatMap((levels) => [
    ...levels.flatMap((each, index) => each.down.map((one) => ({ ...one, index, channels: each.channels }))),
    ...[...levels].reverse().flatMap((each) => each.up.map((one) => ({ ...one, index: each.level - 1, channels: each.channels }))),
  ]);
  bars.push(...found.post.map((one) => ({ ...one, index: 0, channels: found.base })));
  if (!bars.length) return null;
  const step = 240 / bars.length;
  const most = Math.max(...bars.map(({ channels }) => channels), 1);
  return svg(
    "svg",
    { viewBox: "0 0 240 64", preserveAspectRatio: "none", role: "img", "aria-label": describe(architecture) },
    bars.map((bar, place) => {
      const tall = 10 + (40 * bar.channels) / most;
      return svg("rect", { class: `layer ${kindOf(bar.op)}`, x: place * step, y: 4 + bar.index * 5 + (50 - tall) / 2, width: Math.max(step - 1, 1), height: tall, rx: 1 });
    }),
  );
}

export const legend = () =>
  h("div", { class: "legend" }, [["conv", "convolution"], ["separable", "depthwise separable"], ["bottleneck", "inverted bottleneck"]].map(([kind, name]) => h("span", {}, h("i", { class: `swatch-${kind}` }), name)), h("span", {}, "taller: greater kernel; framed: changed from the parent"));
