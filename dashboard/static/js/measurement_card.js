// What a phone measured: every block beside its reference, the summary, and the conditions.
import { axis, chart, COLOURS, GRID, upAxis } from "./chart.js";
import { h, simulated } from "./dom.js";
import { moment, plain, words } from "./format.js";
import { asTable, facts } from "./table.js";

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

export function measurementCard(measurement) {
  const { summary, earlier } = measurement;
  const shown = [
    ["Latency", `${summary.latency_ms.toFixed(3)} ms [${summary.low_ms.toFixed(3)}, ${summary.high_ms.toFixed(3)}]`],
    ["Raw median", `${summary.raw_latency_ms.toFixed(3)} ms · p90 ${summary.p90_ms.toFixed(3)} · minimum ${summary.minimum_ms.toFixed(3)}`],
    ["Reference", `${summary.reference_ms.toFixed(3)} ms, × ${summary.reference_ratio.toFixed(3)} of what is usual`],
    ["Blocks", `${summary.blocks} counted, ${summary.discarded} discarded, ${summary.inferences} inferences`],
    ["Phone", h("span", {}, measurement.phone, " ", simulated(measurement.simulated))],
    ["Runtime", measurement.runtime],
    ["When", moment(measurement.created_at)],
    ["Measured before", earlier.length > 0 ? `${earlier.map(({ latency_ms }) => latency_ms.toFixed(3)).join(", ")} ms: the candidate's latency is what all of them say together` : null],
  ];
  return [
    summary.noisy && h("p", { class: "notice" }, "Noisy: its interval is wider than the search asked for."),
    measurement.samples?.length > 0 && blocks(measurement.samples),
    facts(shown),
    Object.keys(measurement.conditions).length > 0 && h("details", {}, h("summary", {}, "Conditions"), facts(Object.entries(measurement.conditions).map(([name, value]) => [words(name), typeof value === "object" ? JSON.stringify(value) : String(plain(value))]))),
  ];
}

const blocks = (samples) => {
  const canvas = h("div", { class: "chart small" });
  const own = samples.flatMap((block, index) => block.candidate_ms.map((ms) => [index + 1, ms]));
  const medians = samples.map((block, index) => [index + 1, median(block.candidate_ms)]);
  const reference = samples.map((block, index) => [index + 1, median([...block.reference_before_ms, ...block.reference_after_ms])]);
  queueMicrotask(() =>
    chart(
      canvas,
      (colours) => ({
        animation: false,
        grid: GRID,
        xAxis: axis(colours, "block", { minInterval: 1, min: 0.5, max: samples.length + 0.5, nameGap: 22, axisLabel: { color: colours.muted, formatter: (value) => (Number.isInteger(value) ? value : "") } }),
        yAxis: upAxis(colours, "ms", { scale: true }),
        series: [
          { type: "scatter", silent: true, large: true, symbolSize: 5, itemStyle: { color: COLOURS[0], opacity: 0.35 }, data: own },
          { type: "line", silent: true, symbolSize: 9, lineStyle: { color: COLOURS[0] }, itemStyle: { color: COLOURS[0] }, data: medians },
          { type: "line", silent: true, symbolSize: 7, lineStyle: { color: colours.muted, type: "dashed" }, itemStyle: { color: colours.muted }, data: reference },
        ],
      }),
      `${samples.length} blocks; medians ${medians.map(([, ms]) => ms.toFixed(2)).join(", ")} ms`,
    ),
  );
  return [
    canvas,
    h("div", { class: "legend" }, h("span", {}, h("i", { class: "swatch-conv" }), "samples and medians by block"), h("span", {}, h("i", { class: "line" }), "reference network")),
    asTable({
      caption: "Blocks",
      rows: samples.map((block, index) => ({ block, index })),
      columns: [
        { name: "block", label: "Block", number: true, cell: ({ index }) => index + 1 },
        { name: "before", label: "Reference before", number: true, cell: ({ block }) => median(block.reference_before_ms).toFixed(3) },
        { name: "own", label: "Candidate", number: true, cell: ({ block }) => median(block.candidate_ms).toFixed(3) },
        { name: "after", label: "Reference after", number: true, cell: ({ block }) => median(block.reference_after_ms).toFixed(3) },
        { name: "count", label: "Samples", number: true, cell: ({ block }) => block.candidate_ms.length },
        { name: "why", label: "Disturbed by", cell: ({ block }) => block.disturbed ?? "" },
      ],
    }),
  ];
};
