// A candidate's relatives as a tree that grows from left to right: who came from whom, and what that changed.
import { h, svg } from "./dom.js";
import { judgedBy, metricText, plain, shortLabel } from "./format.js";

const WIDE = 150;
const TALL = 46;
const BETWEEN = 210;
const ROW = 76;
const MARGIN = 14;
const TOLD = 2;
const LONGEST = 32;
const MARKS = { mutation: "∆", crossover: "×" };

const shorten = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);
const value = (each) => (each === null ? "–" : String(plain(each)));
const says = ([name, [from, to]]) => `${name} ${value(from)} → ${value(to)}`;

/** Which column everybody stands in, by number: to the right of all parents, children of the candidate in the last. */
const columnOf = (relatives) => {
  const column = new Map(relatives.map(({ number, distance }) => [number, distance > 0 ? 1 : 0]));
  const ancestors = relatives.filter(({ distance }) => distance <= 0).sort((a, b) => b.number - a.number);
  for (const { number, parents } of ancestors) {
    for (const parent of parents.filter((each) => column.has(each))) column.set(parent, Math.min(column.get(parent), column.get(number) - 1));
  }
  const first = Math.min(...column.values());
  return new Map([...column].map(([number, place]) => [number, place - first]));
};

/** From every parent to every child, by way of a stop in each column between them. */
const ways = (relatives, column) =>
  relatives.flatMap((child) =>
    child.parents
      .filter((parent) => column.has(parent))
      .map((parent) => {
        const between = column.get(child.number) - column.get(parent) - 1;
        const stops = Array.from({ length: Math.max(0, between) }, (_, place) => ({ key: `${parent}>${child.number}@${place}`, column: column.get(parent) + 1 + place }));
        return { parent, child, stops, keys: [parent, ...stops.map(({ key }) => key), child.number] };
      }),
  );

/** Where everybody and every stop is, by key; within a column as those that they lead to, so that few lines cross. */
const placesOf = (relatives, column, lines) => {
  const columns = [];
  const put = (key, place) => (columns[place] ??= []).push(key);
  for (const { number } of relatives) put(number, column.get(number));
  for (const { stops } of lines) for (const stop of stops) put(stop.key, stop.column);
  const rank = new Map();
  const leadsTo = (key) => {
    const ranks = lines.flatMap(({ keys }) => keys.slice(1).filter((_, place) => keys[place] === key)).filter((each) => rank.has(each)).map((each) => rank.get(each));
    return ranks.length ? ranks.reduce((sum, each) => sum + each, 0) / ranks.length : 0;
  };
  for (const keys of columns.toReversed()) {
    const wanted = new Map(keys.map((key) => [key, leadsTo(key)]));
    keys.sort((a, b) => wanted.get(a) - wanted.get(b));
    keys.forEach((key, place) => rank.set(key, place - (keys.length - 1) / 2));
  }
  const height = Math.max(...columns.map((keys) => keys.length)) * ROW + 2 * MARGIN;
  const at = (key, place) => ({ x: MARGIN + place * (WIDE + BETWEEN), y: height / 2 + rank.get(key) * ROW });
  const places = new Map(columns.flatMap((keys, place) => keys.map((key) => [key, at(key, place)])));
  return { places, height, width: columns.length * (WIDE + BETWEEN) - BETWEEN + 2 * MARGIN };
};

/** relatives: as the API gives them. Opens at the candidate itself; every one of them is a link. */
export function familyTree(relatives, self) {
  const column = columnOf(relatives);
  const lines = ways(relatives, column);
  const { places, height, width } = placesOf(relatives, column, lines);
  const nodes = relatives.map((each) => node(each, places.get(each.number), each.id === self.id));
  const drawing = svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": `Family of candidate ${self.id}: ${relatives.length - 1} relatives` },
    lines.map((each) => curve(each, places, self)),
    nodes,
    lines.map((each) => label(each, places, self)),
  );
  const frame = h("div", { class: "family", tabindex: "0", role: "region", "aria-label": "Lineage tree" }, drawing);
  const own = places.get(self.number);
  requestAnimationFrame(() => {
    frame.scrollLeft = own.x - (frame.clientWidth - WIDE) / 2;
    frame.scrollTop = own.y - frame.clientHeight / 2;
  });
  return frame;
}

const node = (each, { x, y }, isSelf) => {
  const latency = Object.entries(each.metrics).find(([key]) => key.startsWith("latency_ms@"));
  const score = judgedBy(each.metrics);
  const told = [score && `${shortLabel(score)} ${metricText(score, each.metrics[score])}`, latency && metricText("latency_ms", latency[1])].filter(Boolean);
  return svg(
    "a",
    { href: `/candidates/${each.id}`, class: `relative ${each.status}${isSelf ? " self" : ""}`, "aria-current": isSelf ? "page" : null, "data-relative": each.id },
    svg("title", {}, `Candidate ${each.id}: ${each.status}, ${each.origin}${told.length ? `, ${told.join(", ")}` : ""}`),
    svg("rect", { x, y: y - TALL / 2, width: WIDE, height: TALL, rx: 9 }),
    svg("circle", { cx: x + 15, cy: y - 8, r: 4.5 }),
    svg("text", { class: "name", x: x + 26, y: y - 4 }, `Candidate ${each.id}`),
    svg("text", { class: "faint", x: x + 12, y: y + 14 }, told.length ? told.join(" · ") : each.status),
    svg("text", { class: "faint", x: x + WIDE - 8, y: y - 4, "text-anchor": "end" }, MARKS[each.origin] ?? ""),
  );
};

const isOwn = ({ parent, child }, self) => child.id === self.id || parent === self.number;

const curve = (way, places, self) => {
  const [from, ...rest] = way.keys.map((key) => places.get(key));
  const bend = BETWEEN / 2;
  const parts = rest.map(({ x, y }, place) => {
    const before = place ? rest[place - 1] : from;
    return `C${before.x + WIDE + bend} ${before.y} ${x - bend} ${y} ${x} ${y}${place < rest.length - 1 ? `H${x + WIDE}` : ""}`;
  });
  return svg("path", { class: isOwn(way, self) ? "descent own" : "descent", d: `M${from.x + WIDE} ${from.y}${parts.join("")}` });
};

/** The first changes, half-way to the child; all of them to whoever points at it. */
const label = (way, places, self) => {
  const entries = Object.entries(way.child.changes[way.parent] ?? {});
  const told = entries.slice(0, TOLD).map((each) => shorten(says(each).replace("hourglass", "hg")));
  if (entries.length > TOLD) told[TOLD - 1] = `and ${entries.length - 1} more`;
  const [before, to] = way.keys.slice(-2).map((key) => places.get(key));
  const [x, y] = [to.x - BETWEEN / 2, (before.y + to.y) / 2 - 6 - (told.length - 1) * 12];
  return svg(
    "g",
    { class: isOwn(way, self) ? "changed-text own" : "changed-text" },
    svg("title", {}, entries.map(says).join("\n") || "no change"),
    told.map((text, place) => svg("text", { x, y: y + place * 12, "text-anchor": "middle" }, text)),
  );
};
