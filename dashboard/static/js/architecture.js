// Architectures as drawings: the hourglass with its levels, a classifier with its stages, or, for a space that is not known
// here, its choices alone.
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
  return { hourglasses, stages: stagesOf(choices), post: layersOf("post"), stem: choices.stem_stride ?? choices["stem.stride"], base: choices.base_channels ?? choices["stem.channels"], resolution: choices.resolution };
}

/** Of a classifier: each is layers that are all alike. */
const stagesOf = (choices) => {
  const stages = [];
  let channels = Number(choices["stem.channels"] ?? 0);
  for (let name = "stage1"; choices[`${name}.layers`] !== undefined; name = `stage${stages.length + 1}`) {
    const [width, kernels, kind, expansion, squeeze] = ["width", "kernel", "op", "expansion", "squeeze"].map((part) => choices[`${name}.${part}`]);
    channels = Math.max(8, Math.floor((channels * width) / 8 + 0.5) * 8);
    const op = `${kind}${kernels}x${kernels}${expansion ? `_e${expansion}` : ""}${squeeze ? "_se" : ""}`;
    stages.push({ name, channels, layers: Array.from({ length: Number(choices[`${name}.layers`]) }, () => ({ name: `${name}.op`, op })) });
  }
  return stages;
};

const GAP = 34;
const ROW = 74;
const TOP = 58;
const LAYER = 26;
const TALL = { 1: 18, 3: 24, 5: 33, 7: 42 };

const widthOf = (layers) => (layers.length ? layers.length * (LAYER + 4) - 4 : 20);

/** A block from x on, around y: its layers beside one another, the taller the greater their kernels. */
const block = (layers, x, y, changed) => {
  if (!layers.length) return svg("circle", { class: "identity", cx: x + 10, cy: y, r: 7 }, svg("title", {}, "identity"));
  return layers.map((each, index) => {
    const tall = TALL[kernel(each.op)] ?? 24;
    const left = x + index * (LAYER + 4);
    const marked = changed.has(each.name) ? " changed" : "";
    return svg(
      "g",
      {},
      svg("title", {}, `${each.name}: ${each.op}`),
      svg("rect", { class: `layer ${kindOf(each.op)}${marked}`, x: left, y: y - tall / 2, width: LAYER, height: tall, rx: 4 }),
      svg("text", { class: "on-layer", x: left + LAYER / 2, y: y + 4, "text-anchor": "middle" }, `${kernel(each.op)}²`),
    );
  });
};

const line = (from, to) => {
  const middle = (from[0] + to[0]) / 2;
  return svg("path", { class: "edge", d: `M${from[0]} ${from[1]}C${middle} ${from[1]} ${middle} ${to[1]} ${to[0]} ${to[1]}` });
};

const box = (x, y, wide, text) => [
  svg("rect", { class: "io", x, y: y - 14, width: wide, height: 28, rx: 14 }),
  svg("text", { x: x + wide / 2, y: y + 4, "text-anchor": "middle" }, text),
];

const plus = (x, y) => [svg("circle", { class: "io", cx: x, cy: y, r: 8 }), svg("path", { class: "edge", d: `M${x - 4} ${y}h8M${x} ${y - 4}v8` })];

/** The whole network. changed: names of choices to mark. */
export function graph(architecture, { changed = new Set() } = {}) {
  const { hourglasses, stages, post, stem, base, resolution } = plan(architecture.choices);
  if (stages.length) return classifier(architecture, stages, changed);
  if (!hourglasses.length) return h("p", { class: "hint" }, "This space has no drawing: its choices are in the table below.");
  const parts = [box(6, TOP, 86, `stem ÷${stem ?? 1}`), svg("text", { class: "faint", x: 49, y: TOP + 32, "text-anchor": "middle" }, `${base} channels${resolution ? ` · ${resolution}²` : ""}`)];
  let x = 92;
  hourglasses.forEach((levels, index) => {
    if (index) {
      parts.push(line([x, TOP], [x + 22, TOP]), box(x + 22, TOP, 40, "1×1"));
      x += 62;
    }
    x = hourglass(levels, x, changed, parts);
  });
  if (post.length) {
    parts.push(line([x, TOP], [x + GAP, TOP]), block(post, x + GAP, TOP, changed), svg("text", { class: "faint", x: x + GAP, y: TOP - 30 }, "post"));
    x += GAP + widthOf(post);
  }
  parts.push(line([x, TOP], [x + GAP, TOP]), box(x + GAP, TOP, 104, "1×1 → classes"));
  const width = x + GAP + 112;
  const height = TOP + (Math.max(...hourglasses.map((levels) => levels.length)) - 1) * ROW + 40;
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": describe(architecture) }, parts);
  return h("div", { class: "architecture", tabindex: "0", role: "region", "aria-label": "Architecture drawing" }, drawing);
}

/** Its stages beside one another. A stage is marked where any of its choices is. */
const classifier = (architecture, stages, changed) => {
  const { choices } = architecture;
  const parts = [box(6, TOP, 86, `stem ÷${choices["stem.stride"]}`), svg("text", { class: "faint", x: 49, y: TOP + 32, "text-anchor": "middle" }, `${choices["stem.channels"]} channels`)];
  let [end, x] = [92, 92];
  stages.forEach(({ name, channels, layers }, index) => {
    const marked = [...changed].some((each) => each.startsWith(`${name}.`));
    const left = x + GAP;
    parts.push(line([end, TOP], [left, TOP]), block(layers, left, TOP, marked ? new Set([`${name}.op`]) : new Set()));
    parts.push(svg("text", { class: marked ? "marked" : "faint", x: left, y: TOP - 28 }, `${channels} ch · 1/${2 ** index}`));
    end = left + widthOf(layers);
    x = Math.max(end, left + 56);
  });
  parts.push(line([end, TOP], [x + GAP, TOP]), box(x + GAP, TOP, 180, `1×1, ${choices["head.channels"]} ch → mean → classes`));
  const [width, height] = [x + GAP + 188, TOP + 44];
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": describe(architecture) }, parts);
  return h("div", { class: "architecture", tabindex: "0", role: "region", "aria-label": "Architecture drawing" }, drawing);
};

/** Draws one into `parts`, from x on; where it ends. */
const hourglass = (levels, x, changed, parts) => {
  const row = (index) => TOP + index * ROW;
  const rights = [];
  let at = [x, TOP];
  levels.forEach((each, index) => {
    const left = at[0] + GAP;
    parts.push(line(at, [left, row(index)]), block(each.down, left, row(index), changed));
    const marked = changed.has(`${each.name}.down${each.level}.expansion`);
    parts.push(svg("text", { class: marked ? "marked" : "faint", x: left, y: row(index) - 28 }, `${each.channels} ch · 1/${2 ** index}`));
    at = [left + widthOf(each.down), row(index)];
    rights.push(at[0]);
  });
  for (let index = levels.length - 2; index >= 0; index -= 1) {
    const { up, skip } = levels[index];
    const half = [at[0] + GAP, row(index) + ROW / 2];
    const end = half[0] + widthOf(up);
    const sum = [end + GAP - 8, row(index)];
    parts.push(line(at, half), block(up, ...half, changed), line([end, half[1]], [sum[0] - 8, sum[1]]));
    parts.push(svg("path", { class: "skip-edge", d: `M${rights[index]} ${row(index)}H${sum[0] - 8}` }));
    parts.push(block(skip, (rights[index] + sum[0] - widthOf(skip)) / 2, row(index), changed), plus(...sum));
    at = [sum[0] + 8, sum[1]];
  }
  return at[0];
};

const tally = (layers) => {
  const found = {};
  for (const { op } of layers) found[op] = (found[op] ?? 0) + 1;
  return Object.entries(found).sort((a, b) => b[1] - a[1]);
};

const all = ({ hourglasses, stages, post }) => [...stages.flatMap(({ layers }) => layers), ...hourglasses.flat().flatMap(({ down, skip, up }) => [...down, ...skip, ...up]), ...post];

/** In words: what the drawing shows. */
export function describe(architecture) {
  const found = plan(architecture.choices);
  const ops = tally(all(found)).map(([op, times]) => `${times} × ${op}`);
  if (!ops.length) return Object.entries(architecture.choices).map(([name, value]) => `${name} ${value}`).join(", ");
  const { hourglasses, stages, base, stem } = found;
  if (stages.length) return `${stages.length} stages, stem of ${base} channels, stride ${stem}; ${ops.join(", ")}`;
  return `${hourglasses.length} hourglass${hourglasses.length > 1 ? "es" : ""} of ${hourglasses[0].length} levels, ${base} base channels, stem stride ${stem}; ${ops.join(", ")}`;
}

/** A thumbnail: one bar per layer in the order of computing, as low as its resolution, coloured by its operation. */
export function sketch(architecture) {
  const found = plan(architecture.choices);
  const bars = found.hourglasses.flatMap((levels) => [
    ...levels.flatMap((each, index) => each.down.map((one) => ({ ...one, index, channels: each.channels }))),
    ...[...levels].reverse().flatMap((each) => each.up.map((one) => ({ ...one, index: each.level - 1, channels: each.channels }))),
  ]);
  bars.push(...found.stages.flatMap(({ layers, channels }, index) => layers.map((one) => ({ ...one, index, channels }))));
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
  h("div", { class: "legend" }, [["conv", "convolution"], ["separable", "depthwise separable"], ["bottleneck", "inverted bottleneck"]].map(([kind, name]) => h("span", {}, h("i", { class: `swatch-${kind}` }), name)), h("span", {}, "numbers and heights: kernels · dashed: skip connections · framed: changed from the parent"));
