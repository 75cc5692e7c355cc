// Phones: how they are, why, how warm, how busy, and whether they are as fast as they always were.
import { get, may, segment, send } from "./api.js";
import { attempt, button, h, page, ready, simulated, toast } from "./dom.js";
import { ago, moment, percent, plain, words } from "./format.js";
import { live } from "./live.js";
import { busyDays, drift } from "./phone_charts.js";
import { badge } from "./status.js";
import { facts, table } from "./table.js";

const BUSY_DAYS = 14;
const DRIFT_DAYS = 56;

const release = (phone) =>
  button(
    "Release",
    (event) =>
      attempt(event.currentTarget, async () => {
        await send("POST", `/phones/${segment(phone.serial)}/release`);
        toast(`${phone.serial} has to prove itself now`);
      }),
    { "data-key": `release-${phone.serial}` },
  );

const conditions = (phone) =>
  Object.keys(phone.conditions).length > 0 &&
  h(
    "details",
    {},
    h("summary", {}, "All conditions"),
    facts(Object.entries(phone.conditions).map(([name, value]) => [words(name), typeof value === "object" ? JSON.stringify(value) : String(plain(value))])),
  );

const card = (phone) =>
  h(
    "article",
    { class: "card phone-card", "data-serial": phone.serial, "data-state": phone.state },
    h("div", { class: "title" }, h("h2", {}, phone.model || phone.serial), h("span", { class: "actions" }, simulated(phone.simulated), badge(phone.state), may("operate") && phone.quarantined_at && release(phone))),
    phone.state_reason && h("p", { class: "notice" }, phone.state_reason, phone.state_since && h("span", { class: "muted" }, ` · ${ago(phone.state_since)}`)),
    facts([
      ["Device class", phone.device],
      ["Serial", h("span", { class: "mono" }, phone.serial)],
      ["SoC", [phone.manufacturer, phone.soc].filter(Boolean).join(" ") || null],
      ["Temperature", phone.temperature_celsius === null || phone.temperature_celsius === undefined ? null : `${plain(phone.temperature_celsius)} °C`],
      ["Battery", phone.conditions.battery_level === undefined ? null : `${phone.conditions.battery_level} %`],
      ["Busy today", phone.days?.length ? percent(phone.days.at(-1).busy_share) : null],
      ["Agent", phone.agent],
      ["Last seen", h("span", { title: moment(phone.last_seen_at) }, ago(phone.last_seen_at))],
    ]),
    busyDays(phone),
    drift(phone),
    conditions(phone),
  );

const nothing = () => h("div", { class: "card empty" }, h("h2", {}, "No phone yet"), h("p", {}, h("code", {}, "paretofarm agent --connect PHONE:5555")), h("p", { class: "hint" }, "or let `paretofarm agent` find every phone on USB"));

const known = (value, text) => (value === null ? "–" : text(value));
const columns = [
  { name: "device", label: "Device class", cell: (each) => h("span", {}, each.device, " ", simulated(each.simulated)) },
  { name: "space", label: "Search space", cell: (each) => [each.space.type, each.space.input_size && `${each.space.input_size} px`].filter(Boolean).join(", ") },
  { name: "searches", label: "Searches", cell: (each) => each.searches.join(", ") },
  { name: "measurements", label: "Measured", number: true, cell: (each) => String(each.measurements) },
  { name: "median_ape", label: "Median error", number: true, cell: (each) => known(each.median_ape, (value) => percent(value, 1)) },
  { name: "mape", label: "Mean error", number: true, cell: (each) => known(each.mape, (value) => percent(value, 1)) },
  { name: "tau", label: "Kendall's τ", number: true, cell: (each) => known(each.tau, (value) => value.toFixed(2)) },
  { name: "coverage", label: "In the 95 % interval", number: true, cell: (each) => known(each.coverage, percent) },
];
const predictors = (rows) =>
  rows.length > 0 &&
  h(
    "section",
    { class: "card", id: "predictors" },
    h("h2", {}, "Latencies, predicted"),
    h("p", { class: "hint" }, "Each of the latest measurements against what those before it had predicted"),
    table({ caption: "How well latencies are predicted before they are measured", columns, rows, hideCaption: true }),
  );

/** Judged once for each page: it may take seconds, and the page is good without it. */
let judged = [];
const judge = async () => {
  try {
    ({ predictors: judged } = await get("/phones/predictors"));
  } catch {
    judged = [];
  }
};

const read = async () => {
  const [{ phones }, usage] = await Promise.all([get("/phones"), get("/phones/usage", { days: BUSY_DAYS })]);
  const days = new Map(usage.phones.map((each) => [each.serial, each.days]));
  const drifts = await Promise.all(phones.map(({ serial }) => get(`/phones/${segment(serial)}/drift`, { days: DRIFT_DAYS })));
  return phones.map((phone, index) => ({ ...phone, days: days.get(phone.serial), checks: drifts[index].checks }));
};

let before = "";
judge().then(() => {
  const section = predictors(judged);
  if (section && before) page().append(section);
});
await live(async () => {
  const phones = await read();
  const mark = JSON.stringify(phones.map(({ last_seen_at: _, ...rest }) => rest));
  if (mark === before) return;
  before = mark;
  ready(phones.length ? h("div", { class: "columns" }, phones.map(card)) : nothing(), predictors(judged));
  page().dataset.count = phones.length;
});
