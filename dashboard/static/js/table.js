// Tables: also what every chart says to those who read rather than look.
import { h } from "./dom.js";

/** columns: [{name, label, number, cell(row)}]; rows: anything. sort: {name, descending}, onsort(name). */
export function table({ caption, columns, rows, sort, onsort, hideCaption = false }) {
  const head = columns.map((column) =>
    h(
      "th",
      {
        scope: "col",
        class: column.number ? "number" : null,
        "aria-sort": sort?.name === column.name ? (sort.descending ? "descending" : "ascending") : null,
      },
      onsort && column.sortable !== false
        ? h(
            "button",
            { type: "button", "data-key": `sort-${column.name}`, onclick: () => onsort(column.name) },
            column.label,
            sort?.name === column.name && h("span", { "aria-hidden": "true" }, sort.descending ? "▾" : "▴"),
          )
        : column.label,
    ),
  );
  const body = rows.map((row) =>
    h(
      "tr",
      row.attributes ?? {},
      columns.map((column) => h("td", { class: column.number ? "number" : null }, column.cell(row))),
    ),
  );
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", { class: hideCaption ? "visually-hidden" : null }, caption),
      h("thead", {}, h("tr", {}, head)),
      h("tbody", {}, body),
    ),
  );
}

/** The same numbers as a chart, folded away. */
export const asTable = (options) => h("details", {}, h("summary", {}, "Show as a table"), table({ ...options, hideCaption: true }));

export const facts = (pairs) =>
  h("dl", { class: "facts" }, pairs.filter(([, value]) => value !== null && value !== undefined).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
