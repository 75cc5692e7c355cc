// How it learned, epoch by epoch.
import { axis, chart, COLOURS, GRID, upAxis } from "./chart.js";
import { h } from "./dom.js";
import { duration, inOrder, metricLabel, metricText } from "./format.js";
import { asTable } from "./table.js";

/** One candidate: its metrics and its loss. */
export function learningCurve({ epochs }) {
  if (!epochs.length) return h("p", { class: "hint" }, "It was not trained.");
  const [[name]] = inOrder(epochs[0].metrics);
  const canvas = h("div", { class: "chart small" });
  const last = epochs.at(-1);
  const words = `${metricLabel(name)} after ${epochs.length} epochs: ${metricText(name, last.metrics[name])}; training loss ${last.train_loss.toFixed(3)}`;
  const line = (values, color, more = {}) => ({ type: "line", animation: false, silent: true, symbolSize: 7, showSymbol: epochs.length < 40, lineStyle: { width: 2, color }, itemStyle: { color }, data: values, ...more });
  queueMicrotask(() =>
    chart(
      canvas,
      (colours) => ({
        animation: false,
        grid: GRID,
        xAxis: axis(colours, "epoch", { minInterval: 1, min: 1, nameGap: 22, max: Math.max(2, last.epoch) }),
        yAxis: [upAxis(colours, metricLabel(name), { scale: true }), upAxis(colours, "training loss", { right: true, splitLine: { show: false } })],
        series: [line(epochs.map((each) => [each.epoch, each.metrics[name]]), COLOURS[0]), line(epochs.map((each) => [each.epoch, each.train_loss]), colours.muted, { yAxisIndex: 1, lineStyle: { width: 1.5, type: "dashed", color: colours.muted } })],
      }),
      words,
    ),
  );
  return [
    canvas,
    h("div", { class: "legend" }, h("span", {}, h("i", { class: "line swatch-conv" }), metricLabel(name)), h("span", {}, h("i", { class: "line" }), "training loss (right)")),
    asTable({
      caption: "Learning curve",
      rows: epochs,
      columns: [
        { name: "epoch", label: "Epoch", number: true, cell: (each) => each.epoch },
        { name: "loss", label: "Loss", number: true, cell: (each) => each.train_loss.toFixed(4) },
        ...inOrder(epochs[0].metrics).map(([key]) => ({ name: key, label: metricLabel(key), number: true, cell: (each) => metricText(key, each.metrics[key]) })),
        { name: "took", label: "Took", number: true, cell: (each) => duration(each.duration_s) },
      ],
    }),
  ];
}
