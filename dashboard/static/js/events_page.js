// What happened, the newest first.
import { get } from "./api.js";
import { h, page, ready, replace } from "./dom.js";
import { moment, words } from "./format.js";
import { live } from "./live.js";
import { table } from "./table.js";

const LIMIT = 100;
const KINDS = ["experiment", "candidate", "evaluation", "phone", "measurement"];
let about = "";
let before = null;

const subject = (event) => [
  event.candidate_id !== null && h("a", { href: `/candidates/${event.candidate_id}` }, `candidate ${event.candidate_id}`),
  event.phone_id !== null && h("span", {}, " ", h("a", { href: "/phones" }, `phone ${event.phone_id}`)),
  event.candidate_id === null && event.phone_id === null && event.search_id !== null && h("span", {}, `search ${event.search_id}`),
];
const text = (value) => (value !== null && typeof value === "object" ? JSON.stringify(value) : String(value));
const details = (event) => Object.entries(event.details).filter(([, value]) => value !== null).map(([name, value]) => `${words(name)}: ${text(value)}`).join(" · ");

const columns = [
  { name: "at", label: "When", cell: (event) => h("span", { class: "number" }, moment(event.at)) },
  { name: "kind", label: "What", cell: (event) => h("b", {}, words(event.kind)) },
  { name: "subject", label: "About", cell: subject },
  { name: "details", label: "Details", cell: (event) => h("span", { class: "muted" }, details(event)) },
];

const list = h("div", {});
const pick = h("select", { "data-key": "kind", onchange: (event) => {
  about = event.target.value;
  before = null;
  refresh();
} }, h("option", { value: "" }, "everything"), KINDS.map((kind) => h("option", { value: kind }, `${kind}s`)));

const refresh = async () => {
  const { events } = await get("/events", { limit: LIMIT });
  const shown = [...events].reverse().filter((event) => event.kind.startsWith(about));
  const last = shown[0]?.id ?? 0;
  if (last === before) return;
  replace(list, shown.length ? table({ caption: `The latest ${shown.length}`, columns, rows: shown.map((event) => ({ ...event, attributes: { "data-id": event.id, class: before !== null && event.id > before ? "fresh" : null } })) }) : h("p", { class: "empty" }, "Nothing yet."));
  before = last;
  if (!list.isConnected) ready(card);
  page().dataset.last = last;
};

const card = h("section", { class: "card" }, h("div", { class: "controls" }, h("label", {}, "About ", pick)), list);
await live(refresh);
