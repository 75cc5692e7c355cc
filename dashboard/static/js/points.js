// All complete candidates of a search as columns: what plots and sliders are made of.
import { get, segment } from "./api.js";

/**
 * x, y: metrics. Columns by candidate, in the order in which they were finished: ids, numbers, x, y, xInterval,
 * yInterval, simulated, noisy, generation, cost (seconds of training; null where nobody knows), finishedAt.
 */
export async function loadPoints(search, { device, x, y }, options) {
  const { columns } = await get(`/searches/${segment(search)}/points`, { device, x, y }, options);
  const interval = (name) =>
    name === "latency_ms" ? columns.latency_low_ms.map((low, index) => (low === null ? null : [low, columns.latency_high_ms[index]])) : null;
  return {
    ids: columns.id,
    numbers: columns.number,
    x: columns[x],
    y: columns[y],
    xInterval: interval(x),
    yInterval: interval(y),
    simulated: columns.simulated,
    noisy: columns.noisy,
    generation: columns.generation,
    cost: columns.train_s,
    finishedAt: columns.finished_at.map((seconds) => seconds * 1000),
  };
}

/** Eight shades from the least to the greatest value; those without a value have the first. */
export function shades(values) {
  const known = values.filter(Number.isFinite);
  const [low, high] = known.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
  const width = high - low || 1;
  const bins = values.map((value) => (Number.isFinite(value) ? Math.min(7, Math.floor(((value - low) / width) * 8)) : 0));
  return { bins, low, high };
}
