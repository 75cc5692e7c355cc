// ECharts in the page's own colours, resized with it, and never without words for who cannot see it.
import { h } from "./dom.js";

/** A CSS colour as `rgb(…)`: canvases know no variables. */
export const colour = (name, probe = document.body) => {
  const element = h("i", { hidden: true });
  element.style.color = `var(${name})`;
  probe.append(element);
  const found = getComputedStyle(element).color;
  element.remove();
  return found;
};

export const palette = () => ({
  text: colour("--text"),
  muted: colour("--muted"),
  line: colour("--line"),
  faint: colour("--faint"),
  accent: colour("--accent"),
  front: colour("--front"),
  good: colour("--good"),
  trouble: colour("--trouble"),
  card: colour("--card"),
});

/** Light to dark and readable on both grounds: from the first to the last. */
export const RAMP = ["#8e6bd8", "#6a7be0", "#3f8fd6", "#1f9fb8", "#1fa88c", "#5aab4f", "#a3a12c", "#dd8f1d"];
/** Curves that are compared. */
export const COLOURS = ["#4c6ef5", "#e8590c", "#0ca678", "#c2255c", "#ae8a00", "#7950f2"];

/**
 * A chart in `element`. draw(palette) gives ECharts' option; it is called again when the colour scheme changes.
 * label: what a screen reader says of it.
 */
export function chart(element, draw, label) {
  const echarts = window.echarts;
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", label);
  const instance = echarts.init(element, null, { renderer: "canvas" });
  const update = (options = {}) => instance.setOption(draw(palette()), { notMerge: true, lazyUpdate: false, ...options });
  new ResizeObserver(() => instance.resize()).observe(element);
  addEventListener("themechange", () => update());
  update();
  return { instance, update };
}

export const axis = (colours, name, more = {}) => ({
  type: "value",
  name,
  nameLocation: "middle",
  nameTextStyle: { color: colours.muted, fontSize: 12, padding: 8 },
  axisLine: { show: true, lineStyle: { color: colours.line } },
  axisTick: { show: false },
  axisLabel: { color: colours.muted, hideOverlap: true },
  splitLine: { lineStyle: { color: colours.line, opacity: 0.6 } },
  ...more,
});

/** Its name lies above it, where it can be read without tilting the head and no number is in its way. */
export const upAxis = (colours, name, { right = false, nameTextStyle, ...more } = {}) =>
  axis(colours, name, { nameLocation: "end", nameGap: 12, nameTextStyle: { color: colours.muted, fontSize: 12, align: right ? "right" : "left", ...nameTextStyle }, ...(right ? { position: "right" } : {}), ...more });

export const GRID = { left: 12, right: 20, top: 36, bottom: 28, containLabel: true };
