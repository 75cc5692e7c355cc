// Numbers as people read them. A value that there is not is a dash.
const DASH = "–";
const known = (value) => value !== null && value !== undefined && Number.isFinite(value);

export const METRICS = {
  miou: { label: "mIoU", better: "higher", digits: 3 },
  accuracy: { label: "Accuracy", short: "acc.", better: "higher", digits: 3 },
  f1: { label: "F1", better: "higher", digits: 3 },
  pixel_accuracy: { label: "Pixel accuracy", better: "higher", digits: 3 },
  device_miou: { label: "mIoU on the phone", perDevice: true, better: "higher", digits: 3 },
  device_accuracy: { label: "Accuracy on the phone", perDevice: true, better: "higher", digits: 3 },
  device_f1: { label: "F1 on the phone", perDevice: true, better: "higher", digits: 3 },
  device_pixel_accuracy: { label: "Pixel accuracy on the phone", perDevice: true, better: "higher", digits: 3 },
  loss: { label: "Loss", better: "lower", digits: 3 },
  latency_ms: { label: "Latency", perDevice: true, unit: "ms", better: "lower", digits: 2 },
  latency_p90_ms: { label: "Latency p90", perDevice: true, unit: "ms", better: "lower", digits: 2 },
  latency_sustained_ms: { label: "Sustained latency", perDevice: true, unit: "ms", better: "lower", digits: 2 },
  load_ms: { label: "Load time", perDevice: true, unit: "ms", better: "lower", digits: 1 },
  peak_memory_bytes: { label: "Peak memory", perDevice: true, unit: "bytes", better: "lower" },
  network_bytes: { label: "Network size", perDevice: true, unit: "bytes", better: "lower" },
  parameters: { label: "Parameters", better: "lower" },
  macs: { label: "MACs", better: "lower" },
};

const metric = (key) => METRICS[key.split("@")[0]] ?? { label: key, better: "lower", digits: 3 };

/** `latency_ms@pixel` → `Latency on pixel`; `miou@epochs=3` → `mIoU after 3 epochs`. */
export const metricLabel = (key, { unit = false } = {}) => {
  const [, device] = key.split("@");
  const { label, unit: of } = metric(key);
  const place = device?.startsWith("epochs=") ? ` after ${device.slice("epochs=".length)} epochs` : ` on ${device}`;
  return label + (device ? place : "") + (unit && of && of !== "bytes" ? ` (${of})` : "");
};

/** By which networks are judged: of a segmentation, of a classification. */
const JUDGED_BY = ["miou", "accuracy"];

/** The name of the score that a network with these metrics is judged by. */
export const judgedBy = (metrics) => JUDGED_BY.find((name) => known(metrics[name]));

/** Of a metric of no device class, where there is little room. */
export const shortLabel = (name) => METRICS[name].short ?? METRICS[name].label;

export const isHigherBetter = (key) => metric(key).better === "higher";

export const isPerDevice = (key) => metric(key).perDevice === true;

/** As short as it gets: for an axis, whose name has the unit. */
export const tickText = (key) => (value) => {
  const { unit, digits } = metric(key);
  if (unit === "bytes") return bytes(value);
  return digits === undefined ? count(value) : String(plain(value));
};

export const metricText = (key, value) => {
  if (!known(value)) return DASH;
  const { unit, digits } = metric(key);
  if (unit === "bytes") return bytes(value);
  if (digits === undefined) return count(value);
  return value.toFixed(digits) + (unit ? ` ${unit}` : "");
};

export const count = (value) => {
  if (!known(value)) return DASH;
  for (const [size, letter] of [[1e9, "G"], [1e6, "M"], [1e4, "k"]]) {
    if (Math.abs(value) >= size) return `${Number((value / (letter === "k" ? 1e3 : size)).toPrecision(3))} ${letter}`;
  }
  return value.toLocaleString("en");
};

export const bytes = (value) => {
  if (!known(value)) return DASH;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let index = 0;
  while (value >= 1024 && index < units.length - 1) {
    value /= 1024;
    index += 1;
  }
  return `${Number(value.toPrecision(3))} ${units[index]}`;
};

export const percent = (share, digits = 0) => (known(share) ? `${(share * 100).toFixed(digits)} %` : DASH);

export const rate = (perMinute) => (!known(perMinute) ? DASH : perMinute < 1000 ? perMinute.toFixed(1) : count(Math.round(perMinute)));

export const duration = (seconds) => {
  if (!known(seconds)) return DASH;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${Number(seconds.toFixed(seconds < 10 ? 1 : 0))} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
};

export const ago = (time) => {
  if (!time) return DASH;
  const seconds = Math.max(0, (Date.now() - new Date(time)) / 1000);
  return seconds < 5 ? "now" : `${duration(seconds).split(" ").slice(0, 2).join(" ")} ago`;
};

export const moment = (time) => (time ? new Date(time).toISOString().slice(0, 19).replace("T", " ") + " UTC" : DASH);

export const plain = (value) => (typeof value === "number" ? Number(value.toPrecision(6)) : value === null ? DASH : value);

/** `low_battery` → `low battery`. */
export const words = (text) => String(text).replaceAll("_", " ");

/** Metrics as everywhere: accuracy first, by device class at the end. */
export const inOrder = (metrics) => {
  const names = Object.keys(METRICS);
  const rank = (key) => names.indexOf(key.split("@")[0]);
  return Object.entries(metrics).sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b));
};
