// Processes that work or plan.
import { get } from "./api.js";
import { h, page, ready } from "./dom.js";
import { ago, duration, moment } from "./format.js";
import { live } from "./live.js";
import { badge } from "./status.js";
import { table } from "./table.js";

const columns = [
  { name: "name", label: "Name", cell: (each) => h("b", {}, each.name) },
  { name: "kind", label: "Kind", cell: (each) => each.kind },
  { name: "state", label: "State", cell: (each) => badge(each.state) },
  { name: "heartbeat", label: "Last sign of life", number: true, cell: (each) => `${duration(each.heartbeat_age_s)} ago` },
  { name: "queues", label: "Queues", cell: (each) => each.queues.join(", ") },
  { name: "host", label: "Host", cell: (each) => `${each.host} (${each.pid})` },
  { name: "version", label: "Version", cell: (each) => h("span", { class: "mono" }, each.code_version) },
  { name: "started", label: "Started", cell: (each) => h("span", { title: moment(each.started_at) }, ago(each.started_at)) },
];
const nothing = () => h("div", { class: "card empty" }, h("h2", {}, "Nothing runs"), h("p", {}, h("code", {}, "paretofarm up"), " starts a scheduler, a worker and virtual phones."));

await live(async () => {
  const { workers } = await get("/workers");
  ready(workers.length ? h("section", { class: "card" }, table({ caption: "Schedulers, workers and agents, the latest sign of life first", columns, rows: workers })) : nothing());
  page().dataset.count = workers.length;
});
