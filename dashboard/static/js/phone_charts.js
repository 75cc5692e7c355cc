// A phone's last days.
import { axis, chart, COLOURS, GRID } from "./chart.js";
import { h } from "./dom.js";
import { moment, percent } from "./format.js";
import { asTable } from "./table.js";

export function busyDays({ days }) {
  if (!days?.length) return null;
  const canvas = h("div", { class: "chart tiny" });
  queueMicrotask(() =>
    chart(
      canvas,
      (colours) => ({
        animation: false,
        grid: { ...GRID, top: 12, bottom: 4, left: 4 },
        xAxis: { type: "category", data: days.map(({ day }) => day.slice(5)), axisLabel: { color: colours.muted, hideOverlap: true }, axisTick: { show: false }, axisLine: { lineStyle: { color: colours.line } } },
        yAxis: axis(colours, "", { min: 0, max: 1, interval: 0.5, axisLabel: { color: colours.muted, formatter: (value) => percent(value) } }),
        series: [{ type: "bar", silent: true, itemStyle: { color: COLOURS[0], borderRadius: [3, 3, 0, 0] }, barMaxWidth: 22, data: days.map((day) => day.busy_share) }],
      }),
      `Busy share by day: ${days.map((day) => `${day.day} ${percent(day.busy_share)}`).join(", ")}`,
    ),
  );
  return h(
    "div",
    {},
    h("h3", {}, "Busy share by day (UTC)"),
    canvas,
    asTable({
      caption: "Busy share by day",
      rows: days,
      columns: [
        { name: "day", label: "Day", cell: (each) => each.day },
        { name: "share", label: "Busy", number: true, cell: (each) => percent(each.busy_share, 1) },
        { name: "hours", label: "Hours", number: true, cell: (each) => (each.busy_s / 3600).toFixed(1) },
      ],
    }),
  );
}

/** checks: runs of the reference network; a ratio of 1 is the phone's usual pace, whatever the protocol. */
export function drift({ checks }) {
  const known = (checks ?? []).filter((check) => check.latency_ms !== null && check.baseline_ms);
  if (!known.length) return null;
  const canvas = h("div", { class: "chart tiny" });
  const ratio = (check) => check.latency_ms / check.baseline_ms;
  queueMicrotask(() =>
    chart(
      canvas,
      (colours) => ({
        animation: false,
        grid: { ...GRID, top: 12, bottom: 4, left: 4 },
        xAxis: { type: "time", axisLabel: { color: colours.muted, hideOverlap: true }, axisLine: { lineStyle: { color: colours.line } } },
        yAxis: axis(colours, "", { scale: true, axisLabel: { color: colours.muted, formatter: (value) => `×${value.toFixed(2)}` } }),
        series: [{ type: "line", silent: true, symbolSize: 6, lineStyle: { color: colours.front }, itemStyle: { color: colours.front }, data: known.map((check) => [check.at, ratio(check)]) }],
      }),
      `Drift of the reference network, the last of ${known.length} runs: × ${ratio(known.at(-1)).toFixed(3)} of its usual time`,
    ),
  );
  return h(
    "div",
    {},
    h("h3", {}, "Reference network against its usual time"),
    canvas,
    asTable({
      caption: "Runs of the reference network",
      rows: known,
      columns: [
        { name: "at", label: "When", cell: (check) => moment(check.at) },
        { name: "latency", label: "Latency (ms)", number: true, cell: (check) => check.latency_ms.toFixed(3) },
        { name: "ratio", label: "Of usual", number: true, cell: (check) => ratio(check).toFixed(3) },
        { name: "passed", label: "Passed", cell: (check) => (check.passed ? "yes" : (check.reason ?? "no")) },
      ],
    }),
  );
}
