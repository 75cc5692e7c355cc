// Where a candidate comes from, with what each mutation changed, and what came of it: as a tree, and in words.
import { h } from "./dom.js";
import { familyTree } from "./family_tree.js";
import { judgedBy, metricLabel, metricText, plain } from "./format.js";
import { badge } from "./status.js";

const SHOWN = 24;
const SHOWN_CHILDREN = 12;
const SHOWN_CHANGES = 8;

const value = (each) => (each === null ? "–" : String(plain(each)));

const changeList = (changes) => {
  const entries = Object.entries(changes);
  return h(
    "ul",
    { class: "changes" },
    entries.slice(0, SHOWN_CHANGES).map(([name, [from, to]]) => h("li", {}, h("code", {}, name), " ", h("del", {}, value(from)), " → ", h("ins", {}, value(to)))),
    entries.length > SHOWN_CHANGES && h("li", { class: "muted" }, `and ${entries.length - SHOWN_CHANGES} more`),
  );
};

const keyMetrics = (metrics) =>
  Object.entries(metrics)
    .filter(([key]) => key === judgedBy(metrics) || key.startsWith("latency_ms@"))
    .map(([key, number]) => h("span", { class: "muted" }, ` · ${metricLabel(key)} ${metricText(key, number)}`));

const relative = (each, self, nameOf) =>
  h(
    "li",
    { class: each.id === self.id ? "self" : null },
    each.id === self.id ? h("b", {}, `Candidate ${each.id}`) : h("a", { href: `/candidates/${each.id}` }, `Candidate ${each.id}`),
    " ",
    badge(each.status),
    " ",
    h("span", { class: "muted" }, each.parents.length ? `${each.origin} of ${each.parents.map(nameOf).join(" and ")}` : each.origin),
    keyMetrics(each.metrics),
    Object.entries(each.changes).map(([parent, changes]) => [each.parents.length > 1 && h("span", { class: "hint" }, `against ${nameOf(Number(parent))}`), changeList(changes)]),
  );

/** relatives: ancestors first, then itself, then its children; the nearest are shown. */
export function lineageView({ relatives, complete }, self) {
  const ids = new Map(relatives.map(({ id, number }) => [number, id]));
  const nameOf = (number) => ids.get(number) ?? `number ${number}`;
  const before = relatives.filter((each) => each.distance <= 0).slice(-SHOWN);
  const after = relatives.filter((each) => each.distance > 0).slice(0, SHOWN_CHILDREN);
  const shown = [...before, ...after];
  if (shown.length === 1) return h("p", { class: "hint" }, `No relatives: its origin is ${self.origin}, and nothing came of it so far.`);
  const left = relatives.length - shown.length;
  return [
    familyTree(shown, self),
    h("p", { class: "hint" }, "From the oldest on the left; on the lines, what the child has otherwise. ∆ mutation, × crossover."),
    h("details", {}, h("summary", {}, "All changes in words"), h("ol", { class: "lineage" }, shown.map((each) => relative(each, self, nameOf)))),
    (left > 0 || !complete) && h("p", { class: "hint" }, left > 0 ? `${left} more distant relatives are left out.` : "Some relatives are left out."),
  ];
}
