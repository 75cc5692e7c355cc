// The Pareto scatter: thousands of points, the front, error bars; hovered, brushed, and walked along with arrow keys.
import { axis, chart, GRID, RAMP, upAxis } from "./chart.js";
import { h, replace, simulated } from "./dom.js";
import { isHigherBetter, metricLabel, metricText, tickText } from "./format.js";
import { step } from "./pareto.js";

const NEAR = 14;
const MANY = 2500;
const ALL_BARS = 150;
const SIZES = [5, 6, 7.5, 9, 10.5, 12.5, 14.5, 17];
/** With more points than this only members of the front have error bars. */

/**
 * onopen(index), onbrush({x: [low, high], y: [low, high]} | null), describe(index) → promise of a drawing or null.
 * show(view): view has points (ids, x, y, z, xInterval, yInterval, simulated, noisy, shade, and size where it matters),
 * xName, yName, zName (where the front is of three metrics), front (indices by x), doubtful (indices that only overlapping intervals let in), visible (indices), faint (indices).
 */
export function scatter({ onopen, onbrush, describe }) {
  let view = null;
  let drawn = null;
  let shown = null;
  let brush = null;
  const canvas = h("div", { class: "chart" });
  const ring = h("div", { class: "ring", hidden: true, "aria-hidden": "true" });
  const card = h("div", { class: "hover-card", hidden: true, "aria-hidden": "true" });
  const area = h("div", { class: "brush", hidden: true, "aria-hidden": "true" });
  const said = h("div", { class: "visually-hidden", role: "status", "aria-live": "polite" });
  const frame = h(
    "div",
    { class: "chart-frame", tabindex: "0", role: "group", "aria-label": "Pareto scatter. Arrow keys walk along the front, Enter opens a candidate, Escape lets go.", "data-key": "scatter" },
    canvas,
    area,
    ring,
    card,
    said,
  );

  const pixels = () => {
    const at = (x, y) => drawn.instance.convertToPixel({ gridIndex: 0 }, [x, y]);
    const [originX, originY] = at(0, 0);
    const [oneX, oneY] = at(1, 1);
    return (index) => [originX + (oneX - originX) * view.points.x[index], originY + (oneY - originY) * view.points.y[index]];
  };

  const nearest = (event) => {
    if (!view?.visible.length) return null;
    const box = canvas.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    const place = pixels();
    let best = NEAR ** 2;
    let found = null;
    const look = (index, bonus) => {
      const [x, y] = place(index);
      const distance = (x - px) ** 2 + (y - py) ** 2 - bonus;
      if (distance < best) [best, found] = [distance, index];
    };
    for (const index of view.visible) look(index, 0);
    for (const index of view.front) look(index, 9);
    return found;
  };

  const hide = () => {
    shown = null;
    card.hidden = true;
    ring.hidden = true;
    frame.classList.remove("pointing");
  };

  const point = (index) => {
    if (index === null) return hide();
    const [x, y] = pixels()(index);
    ring.hidden = false;
    ring.style.left = `${x}px`;
    ring.style.top = `${y}px`;
    frame.classList.add("pointing");
    if (shown === index) return undefined;
    shown = index;
    replace(card, lines(index));
    card.hidden = false;
    const wide = frame.clientWidth;
    card.style.left = `${x + 24 + card.offsetWidth > wide ? Math.max(0, x - 24 - card.offsetWidth) : x + 24}px`;
    card.style.top = `${Math.max(0, Math.min(y - 40, frame.clientHeight - card.offsetHeight - 30))}px`;
    return addDrawing(index);
  };

  const addDrawing = async (index) => {
    await new Promise((resolve) => setTimeout(resolve, 120));
    if (shown !== index) return;
    const drawing = await describe(index);
    if (shown === index && drawing) card.append(drawing);
  };

  const lines = (index) => {
    const { points, xName, yName, zName } = view;
    const value = (name, values, intervals) => {
      const interval = intervals?.[index];
      return [h("dt", {}, metricLabel(name)), h("dd", {}, metricText(name, values[index]), interval && h("span", { class: "muted" }, ` [${metricText(name, interval[0])}, ${metricText(name, interval[1])}]`))];
    };
    return [
      h("h3", {}, `Candidate ${points.ids[index]}`, h("span", {}, view.front.includes(index) && h("span", { class: "badge accent" }, "front"), view.doubtful?.includes(index) && h("span", { class: "badge" }, "in doubt"), " ", points.noisy?.[index] && h("span", { class: "badge warn" }, "noisy"), " ", simulated(points.simulated?.[index]))),
      h("dl", { class: "facts" }, value(yName, points.y, points.yInterval), value(xName, points.x, points.xInterval), zName && value(zName, points.z), view.shadeText && [h("dt", {}, view.shadeName), h("dd", {}, view.shadeText(index))]),
    ];
  };

  const walk = (step) => {
    if (!view?.front.length) return;
    const place = view.front.indexOf(shown);
    const next = place < 0 ? (step > 0 ? 0 : view.front.length - 1) : Math.min(Math.max(place + step, 0), view.front.length - 1);
    const index = view.front[next];
    point(index);
    const { points, xName, yName, zName } = view;
    const told = [[yName, points.y], [xName, points.x], ...(zName ? [[zName, points.z]] : [])];
    said.textContent = `Candidate ${points.ids[index]}: ${told.map(([name, values]) => `${metricLabel(name)} ${metricText(name, values[index])}`).join(", ")}`;
  };

  frame.addEventListener("keydown", (event) => {
    const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
    if (steps[event.key]) walk(steps[event.key]);
    else if (event.key === "Enter" && shown !== null) onopen(shown);
    else if (event.key === "Escape") {
      hide();
      if (brush) setBrush(null);
    } else return;
    event.preventDefault();
  });
  frame.addEventListener("blur", hide);

  const setBrush = (range) => {
    brush = range;
    placeBrush();
    onbrush(range);
  };
  const placeBrush = () => {
    area.hidden = !brush;
    if (!brush) return;
    const [left, bottom] = drawn.instance.convertToPixel({ gridIndex: 0 }, [brush.x[0], brush.y[0]]);
    const [right, top] = drawn.instance.convertToPixel({ gridIndex: 0 }, [brush.x[1], brush.y[1]]);
    box(left, top, right, bottom);
  };
  const box = (left, top, right, bottom) => {
    area.hidden = false;
    Object.assign(area.style, { left: `${Math.min(left, right)}px`, top: `${Math.min(top, bottom)}px`, width: `${Math.abs(right - left)}px`, height: `${Math.abs(bottom - top)}px` });
  };

  let start = null;
  const offset = (event) => {
    const at = canvas.getBoundingClientRect();
    return [event.clientX - at.left, event.clientY - at.top];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button === 0) start = offset(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!start) return point(nearest(event));
    const [x, y] = offset(event);
    if (event.pointerType !== "touch" && Math.hypot(x - start[0], y - start[1]) > 5) {
      hide();
      canvas.setPointerCapture(event.pointerId);
      box(start[0], start[1], x, y);
    }
    return undefined;
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!start) return;
    const [from, to] = [start, offset(event)];
    start = null;
    const dragged = event.pointerType !== "touch" && Math.hypot(to[0] - from[0], to[1] - from[1]) > 5;
    if (!dragged) return clicked(event);
    const [a, b] = [from, to].map((place) => drawn.instance.convertFromPixel({ gridIndex: 0 }, place));
    const range = (place) => [Math.min(a[place], b[place]), Math.max(a[place], b[place])];
    setBrush({ x: range(0), y: range(1) });
  });
  canvas.addEventListener("pointercancel", () => {
    start = null;
    placeBrush();
  });
  canvas.addEventListener("pointerleave", () => start === null && hide());

  /** A finger's first touch shows the card, its second opens. */
  const clicked = (event) => {
    const index = nearest(event);
    if (index === null) return brush ? setBrush(null) : hide();
    if (event.pointerType === "touch" && shown !== index) return point(index);
    return onopen(index);
  };

  const option = (colours) => {
    if (!view) return {};
    const { points, xName, yName, zName, visible, faint, front, doubtful = [] } = view;
    const large = visible.length > MANY;
    const pair = (index) => [points.x[index], points.y[index]];
    const sizeOf = (index) => (points.size ? SIZES[points.size[index]] * (large ? 0.6 : 1) : large ? 4 : 8);
    const dots = { type: "scatter", silent: true, animation: false, large, largeThreshold: MANY, symbolSize: large ? 4 : 8 };
    const shades = groups(visible, (index) => `${points.shade[index]} ${sizeOf(index)}`).map((group) => ({ ...dots, z: 2, symbolSize: sizeOf(group[0]), itemStyle: { color: RAMP[points.shade[group[0]]], opacity: large ? 0.55 : 0.8 }, data: group.map(pair) }));
    // Of three metrics a front is a surface, and what its members are filled with says the third.
    const members = zName
      ? groups(front, (index) => `${points.shade[index]} ${sizeOf(index)}`).map((group) => ({ type: "scatter", silent: true, animation: false, z: 4, symbolSize: Math.max(10, sizeOf(group[0]) + 2), itemStyle: { color: RAMP[points.shade[group[0]]], borderColor: colours.front, borderWidth: 2 }, data: group.map(pair) }))
      : [
          { type: "line", silent: true, animation: false, z: 3, showSymbol: false, lineStyle: { color: colours.front, width: 2 }, step: step(isHigherBetter(xName)), data: front.map(pair) },
          { type: "scatter", silent: true, animation: false, z: 4, symbolSize: 11, itemStyle: { color: colours.front, borderColor: colours.card, borderWidth: 2 }, data: front.map(pair) },
        ];
    const barred = visible.length <= ALL_BARS ? visible : front;
    return {
      animation: false,
      grid: GRID,
      xAxis: axis(colours, metricLabel(xName, { unit: true }), { scale: true, nameGap: 22, axisLabel: { color: colours.muted, hideOverlap: true, formatter: tickText(xName) }, ...view.xRange }),
      yAxis: upAxis(colours, metricLabel(yName, { unit: true }), { scale: true, axisLabel: { color: colours.muted, hideOverlap: true, formatter: tickText(yName) }, ...view.yRange }),
      series: [
        { ...dots, z: 1, itemStyle: { color: colours.faint, opacity: 0.5 }, data: faint.map(pair) },
        ...shades,
        bars(barred, points, colours, new Set(front)),
        ...members,
        { type: "scatter", silent: true, animation: false, z: 4, symbol: "emptyCircle", symbolSize: 11, itemStyle: { color: colours.front, borderWidth: 2 }, data: doubtful.map(pair) },
      ],
    };
  };

  const groups = (indices, key) => [...Map.groupBy(indices, key).values()];

  const bars = (indices, points, colours, members) => ({
    type: "custom",
    silent: true,
    animation: false,
    z: 3,
    data: indices.flatMap((index) => [
      ...(points.xInterval?.[index] ? [[points.xInterval[index][0], points.y[index], points.xInterval[index][1], points.y[index], members.has(index) ? 1 : 0]] : []),
      ...(points.yInterval?.[index] ? [[points.x[index], points.yInterval[index][0], points.x[index], points.yInterval[index][1], members.has(index) ? 1 : 0]] : []),
    ]),
    renderItem: (_, api) => {
      const [x1, y1] = api.coord([api.value(0), api.value(1)]);
      const [x2, y2] = api.coord([api.value(2), api.value(3)]);
      const member = api.value(4) === 1;
      return { type: "line", shape: { x1, y1, x2, y2 }, style: { stroke: member ? colours.front : colours.muted, lineWidth: member ? 1.6 : 1, opacity: member ? 0.9 : 0.35 } };
    },
  });

  return {
    element: frame,
    clearBrush: () => setBrush(null),
    show(next) {
      view = next;
      const against = [view.xName, view.zName].filter(Boolean).map((name) => metricLabel(name));
      const words = `${view.visible.length} candidates, ${view.front.length} of them on the front: ${metricLabel(view.yName)} against ${against.join(" and ")}`;
      if (drawn) {
        drawn.update();
        canvas.setAttribute("aria-label", words);
      } else drawn = chart(canvas, option, words);
      canvas.dataset.points = view.visible.length;
      canvas.dataset.front = view.front.length;
      canvas.dataset.metrics = [view.xName, view.yName, view.zName].filter(Boolean).join(" ");
      if (shown !== null && !view.visible.includes(shown)) hide();
      if (brush) placeBrush();
    },
    /** Where a point is drawn, in pixels of the chart; for tests too. */
    pixel: (index) => pixels()(index),
  };
}
