// Words and colours for states.
import { h } from "./dom.js";
import { words } from "./format.js";

const KINDS = {
  running: "accent", finished: "good", stopped: "warn", complete: "good", failed: "bad", infeasible: "warn", proposed: "", paused: "",
  ready: "good", busy: "accent", offline: "bad", unauthorized: "bad", unhealthy: "bad", booting: "warn", cooling: "warn",
  low_battery: "warn", full: "warn", suspect: "warn", quarantined: "bad", done: "good", there: "good", lost: "bad", leased: "accent", queued: "",
};

export const badge = (state) => h("span", { class: `badge ${KINDS[state] ?? ""}`.trim() }, words(state));
