// All complete candidates of a search as columns: what plots and sliders are made of.
import { get, segment } from "./api.js";

/**
 * x, y, z: metrics, z or none. Columns by candidate, in the order in which they were finished: ids, x, y, z,
 * xInterval, yInterval, simulated, noisy, generation, cost (seconds of training; null where nobody knows), finishedAt.
 */
export async function loadPoints(search, { device, x, y, z }, options) {
  const { columns } = await get(`/searches/${segment(search)}/points`, { device, x, y, z }, options);
  const interval = (name) =>
    name === "latency_ms" ? columns.latency_low_ms.map((low, index) => (low === null ? null : [low, columns.latency_high_ms[index]])) : null;
  return {
    ids: columns.id,
    x: columns[x],
    y: columns[y],
    z: z ? columns[z] : null,
    xInterval: interval(x),
    yInterval: interval(y),
    simulated: columns.simulated,
    noisy: columns.noisy,
    generation: columns.generation,
    cost: columns.train_s,
    finishedAt: columns.finished_at.map((seconds) => seconds * 1000),
  };
}

const WIDE = 10;

/**
 * Eight shades from the least to the greatest value, by magnitude where one is a multiple of the other; those without
 * a value have the first.
 */
export function shades(values) {
  const known = values.filter(Number.isFinite);
  const [low, high] = known.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
  const scale = low > 0 && high > WIDE * low ? Math.log : (value) => value;
  const width = scale(high) - scale(low) || 1;
  const bins = values.map((value) => (Number.isFinite(value) ? Math.min(7, Math.floor(((scale(value) - scale(low)) / width) * 8)) : 0));
  return { bins, low, high };
}

/**
 * The points and those members of the front that are not among them: of a great search only the latest are loaded.
 * members: documents of candidates, of which the plain metrics are known. Older than all others, and put before them.
 */
export function withMembers(points, members, { x, y, z }) {
  const known = new Set(points.ids);
  const names = [x, y, ...(z ? [z] : [])];
  const missing = members.filter(({ id, metrics }) => !known.has(id) && names.every((name) => Number.isFinite(metrics[name])));
  if (!missing.length) return points;
  const before = (key, value) => (points[key] ? [...missing.map(value), ...points[key]] : points[key]);
  const metric = (name) => ({ metrics }) => metrics[name];
  const interval = (name) => ({ intervals }) => intervals[name] ?? null;
  return {
    ids: before("ids", ({ id }) => id),
    x: before("x", metric(x)),
    y: before("y", metric(y)),
    z: before("z", metric(z)),
    xInterval: before("xInterval", interval(x)),
    yInterval: before("yInterval", interval(y)),
    simulated: before("simulated", ({ simulated }) => simulated),
    noisy: before("noisy", () => false),
    generation: before("generation", () => null),
    cost: before("cost", () => null),
    finishedAt: before("finishedAt", () => points.finishedAt[0]),
  };
}
