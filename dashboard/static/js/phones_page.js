// Phones: how they are, why, how warm, how busy, and whether they are as fast as they always were.
import { get, may, segment, send } from "./api.js";
import { attempt, button, h, page, ready, simulated, toast } from "./dom.js";
import { ago, moment, percent, plain, words } from "./format.js";
import { live } from "./live.js";
import { busyDays, drift } from "./phone_charts.js";
import { badge } from "./status.js";
import { facts } from "./table.js";

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

const read = async () => {
  const [{ phones }, usage] = await Promise.all([get("/phones"), get("/phones/usage", { days: BUSY_DAYS })]);
  const days = new Map(usage.phones.map((each) => [each.serial, each.days]));
  const drifts = await Promise.all(phones.map(({ serial }) => get(`/phones/${segment(serial)}/drift`, { days: DRIFT_DAYS })));
  return phones.map((phone, index) => ({ ...phone, days: days.get(phone.serial), checks: drifts[index].checks }));
};

let before = "";
await live(async () => {
  const phones = await read();
  const mark = JSON.stringify(phones.map(({ last_seen_at: _, ...rest }) => rest));
  if (mark === before) return;
  before = mark;
  ready(phones.length ? h("div", { class: "columns" }, phones.map(card)) : nothing());
  page().dataset.count = phones.length;
});
