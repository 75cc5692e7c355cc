// The candidates under the plot: filtered, sorted and paged by the database, however many there are.
import { get, segment } from "./api.js";
import { button, h, replace, simulated } from "./dom.js";
import { metricLabel, metricText } from "./format.js";
import { badge } from "./status.js";
import { table } from "./table.js";

const PAGE = 25;
const OWN = ["id", "number", "status", "origin", "simulated", "noisy", "pinned", "latency_low_ms", "latency_high_ms"];

/** metrics: columns. chosen: a set of ids that are ticked, onchoose after a change. */
export function candidateTable({ search, metrics, onchoose }) {
  const state = { device: null, where: "", sort: { name: "number", descending: true }, rows: [], next: null };
  const chosen = new Set();
  const element = h("div", {});
  const said = h("p", { class: "trouble", role: "alert", hidden: true });

  const query = (after) => ({
    device: state.device,
    where: state.where,
    sort: (state.sort.descending ? "-" : "") + state.sort.name,
    fields: [...OWN, ...metrics].join(","),
    limit: PAGE,
    after,
  });

  const load = async () => {
    const wanted = Math.max(PAGE, state.rows.length);
    const found = await get(`/searches/${segment(search)}/candidates`, { ...query(null), limit: wanted });
    const known = new Set(state.rows.map((row) => row.id));
    const fresh = known.size > 0 ? found.candidates.filter((row) => !known.has(row.id)).map((row) => row.id) : [];
    Object.assign(state, { rows: found.candidates, next: found.next });
    draw(new Set(fresh));
  };

  const more = async () => {
    const found = await get(`/searches/${segment(search)}/candidates`, query(state.next));
    state.rows.push(...found.candidates);
    state.next = found.next;
    draw(new Set());
  };

  const choose = (id, is) => {
    if (is) chosen.add(id);
    else chosen.delete(id);
    onchoose?.(chosen);
  };

  const columns = () => [
    { name: "choose", label: h("span", { class: "visually-hidden" }, "Compare"), sortable: false, cell: (row) => h("input", { type: "checkbox", "data-key": `choose-${row.id}`, "aria-label": `Compare candidate ${row.id}`, checked: chosen.has(row.id), onchange: (event) => choose(row.id, event.target.checked) }) },
    { name: "number", label: "Id", number: true, cell: (row) => h("a", { href: `/candidates/${row.id}`, "data-key": `open-${row.id}` }, row.id) },
    { name: "status", label: "Status", sortable: false, cell: (row) => [badge(row.status), row.pinned && " ★", row.noisy && h("span", {}, " ", h("span", { class: "badge warn" }, "noisy"))] },
    ...metrics.map((name) => ({ name, label: metricLabel(name), number: true, cell: (row) => [metricText(name, row[name]), name === "latency_ms" && row.latency_low_ms !== null && h("span", { class: "muted" }, ` ± ${((row.latency_high_ms - row.latency_low_ms) / 2).toFixed(2)}`)] })),
    { name: "origin", label: "Origin", sortable: false, cell: (row) => [row.origin, " ", simulated(row.simulated)] },
  ];

  const draw = (fresh) => {
    const rows = state.rows.map((row) => ({ ...row, attributes: { class: fresh.has(row.id) ? "fresh" : null, "data-id": row.id } }));
    const onsort = (name) => {
      const again = state.sort.name === name;
      state.sort = { name, descending: again ? !state.sort.descending : false };
      state.rows = [];
      load();
    };
    replace(
      element,
      said,
      rows.length
        ? table({ caption: `${rows.length}${state.next ? " and more" : ""} candidates${state.where ? `: ${state.where}` : ""}`, columns: columns(), rows, sort: state.sort, onsort })
        : h("p", { class: "empty" }, state.where ? "No candidate is like that." : "No candidate yet."),
      state.next && h("p", {}, button("More", more, { "data-key": "more" })),
    );
  };

  return {
    element,
    chosen,
    load,
    /** A condition as `paretofarm candidates --where` takes it. */
    async filter({ where = state.where, device = state.device }) {
      const before = { where: state.where, device: state.device };
      Object.assign(state, { where, device, rows: [], next: null });
      try {
        await load();
        said.hidden = true;
        return true;
      } catch (error) {
        Object.assign(state, before);
        said.hidden = false;
        said.textContent = error.message;
        element.prepend(said);
        return false;
      }
    },
  };
}
