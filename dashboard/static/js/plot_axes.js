// Which metrics a search's plot is about: its objectives to begin with, then whatever somebody chooses.
import { isPerDevice, metricLabel, METRICS } from "./format.js";

/** device, x, y, z ("" for none): a search's objectives on its first device class. */
export function ownAxes({ experiment: { objectives }, devices }) {
  const device = objectives.find((objective) => objective.device)?.device ?? devices[0] ?? null;
  const mine = objectives.filter((objective) => !objective.device || objective.device === device).map(({ name }) => name);
  const y = mine.find((name) => !isPerDevice(name)) ?? mine[0] ?? "miou";
  const rest = mine.filter((name) => name !== y);
  const x = rest.find((name) => name === "latency_ms") ?? rest[0] ?? (device && y !== "latency_ms" ? "latency_ms" : "parameters");
  return { device, x, y, z: rest.find((name) => name !== x) ?? "" };
}

/** What can be chosen, with labels: every metric of the device class, and latency and accuracy on all others. */
export function axisChoices(device, devices) {
  const names = Object.keys(METRICS).filter((name) => device || !isPerDevice(name));
  const others = devices.filter((each) => each !== device).flatMap((each) => [`latency_ms@${each}`, `device_miou@${each}`, `device_accuracy@${each}`]);
  return [...names, ...others].map((name) => [name, metricLabel(name)]);
}
