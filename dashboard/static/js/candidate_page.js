// One candidate: what it is, where it comes from, what was measured, and what it left behind.
import { address, get, may, segment, send } from "./api.js";
import { graph, legend } from "./architecture.js";
import { attempt, button, h, page, ready, simulated, toast } from "./dom.js";
import { bytes, count, duration, inOrder, judgedBy, metricLabel, metricText, moment, plain, words } from "./format.js";
import { learningCurve } from "./learning_curve.js";
import { lineageView } from "./lineage.js";
import { live } from "./live.js";
import { measurementCard } from "./measurement_card.js";
import { badge } from "./status.js";
import { facts, table } from "./table.js";

const { candidate: id, search } = page().dataset;
const path = `/candidates/${id}`;

const section = (title, ...body) => h("section", { class: "card", "aria-label": title }, h("h2", {}, title), body);

const actions = (found) => {
  const act = (label, action, key, more = {}) => button(label, (event) => attempt(event.currentTarget, action), { "data-key": key, ...more });
  const post = (verb, said) => async () => {
    await send("POST", `${path}/${verb}`);
    toast(said);
    await load();
  };
  const ended = ["complete", "failed", "infeasible"].includes(found.status);
  return h(
    "div",
    { class: "actions" },
    found.status === "complete" && h("a", { class: "button primary", href: address(`${path}/export`), download: "", "data-key": "export" }, "Export (zip)"),
    h("a", { class: "button", href: `/compare?candidates=${id}`, "data-key": "compare" }, "Compare"),
    may("operate") && act(found.pinned ? "★ Unpin" : "☆ Pin", found.pinned ? post("unpin", "no longer pinned") : post("pin", "pinned: its files are kept"), "pin", { "aria-pressed": String(Boolean(found.pinned)) }),
    may("operate") && ended && act("Run again", post("rerun", "queued again"), "rerun"),
  );
};

const metrics = (found) =>
  table({
    caption: "Metrics with 95 % intervals",
    hideCaption: true,
    rows: inOrder(found.metrics),
    columns: [
      { name: "metric", label: "Metric", cell: ([key]) => metricLabel(key) },
      { name: "value", label: "Value", number: true, cell: ([key, value]) => metricText(key, value) },
      { name: "interval", label: "95 % interval", number: true, cell: ([key]) => (found.intervals[key] ? `${metricText(key, found.intervals[key][0])} – ${metricText(key, found.intervals[key][1])}` : "") },
    ],
  });

const work = (found) =>
  table({
    caption: "What was done with it",
    hideCaption: true,
    rows: found.evaluations,
    columns: [
      { name: "step", label: "Stage", cell: (each) => each.step },
      { name: "status", label: "Status", cell: (each) => [badge(each.status), each.reason && h("span", { class: "trouble" }, ` ${each.code ?? ""} ${each.reason}`)] },
      { name: "duration", label: "Took", number: true, cell: (each) => duration(each.duration_s) },
      { name: "owner", label: "By", cell: (each) => each.owner ?? "" },
      { name: "attempt", label: "Attempt", number: true, cell: (each) => each.attempt },
    ],
  });

/** Whether its network has one class for an image, not one for each pixel. */
const ofImages = (found) => judgedBy(found.metrics) === "accuracy";

const perClass = (found) => {
  const rows = Object.entries(found.per_class);
  if (!rows.length) return null;
  const shown = ofImages(found) ? [["f1", "F1"]] : [["iou", "IoU"], ["f1", "F1"]];
  return section(
    "Scores per class",
    table({
      caption: "Scores per class of the last training",
      hideCaption: true,
      rows,
      columns: [
        { name: "class", label: "Class", cell: ([name]) => words(name) },
        { name: "bar", label: h("span", { class: "visually-hidden" }, `${shown[0][1]} as a bar`), cell: ([name, scores]) => scores && h("progress", { class: "bar", max: 1, value: scores[shown[0][0]], "aria-label": `${shown[0][1]} of ${name}` }) },
        ...shown.map(([key, label]) => ({ name: key, label, number: true, cell: ([, scores]) => (scores ? scores[key].toFixed(3) : "never occurs") })),
        { name: "pixels", label: ofImages(found) ? "Images" : "Pixels", number: true, cell: ([, scores]) => (scores ? count(scores.pixels) : "") },
      ],
    }),
  );
};

const scores = (found) =>
  found.scores.length > 0 &&
  section(
    "Accuracy on the phone",
    table({
      caption: "Scores of the compiled network on each device class",
      hideCaption: true,
      rows: found.scores,
      columns: Object.keys(found.scores[0]).filter((name) => typeof found.scores[0][name] !== "object").map((name) => ({ name, label: words(name), number: typeof found.scores[0][name] === "number", cell: (row) => (typeof row[name] === "boolean" ? (row[name] ? "yes" : "no") : plain(row[name])) })),
    }),
  );

/** By which its calibrations were compared; before there were classifiers nothing said so. */
const scoreOf = (result) => (result.task === "classification" ? "accuracy" : "miou");

const quantization = (found) =>
  Object.entries(found.calibrations).map(([device, result]) =>
    section(
      `Quantization for ${device}`,
      facts([
        ["Calibration kept", result.kept],
        [metricLabel(scoreOf(result)), `${result[`fp32_${scoreOf(result)}`].toFixed(4)} in float32 → ${result[`int8_${scoreOf(result)}`][result.kept].toFixed(4)}, a gap of ${result.gap_points.toFixed(2)} points`],
        ["All tried", Object.entries(result[`int8_${scoreOf(result)}`]).map(([method, score]) => `${method} ${score.toFixed(4)}`).join(" · ")],
      ]),
      h("p", { class: "hint" }, `On ${count(result.images)} validation images, computed on the host that compiled, not on a phone.`),
      result.worst_layers.length > 0 &&
        table({
          caption: "Layers that cost most where only they are quantized",
          rows: result.worst_layers,
          columns: [
            { name: "layer", label: "Layer", cell: (each) => h("code", {}, each.layer) },
            { name: "op", label: "Op", cell: (each) => each.op },
            { name: "sqnr", label: "Signal to noise, dB", number: true, cell: (each) => each.sqnr_db.toFixed(1) },
            { name: "changed", label: `${ofImages(found) ? "Images" : "Pixels"} that change`, number: true, cell: (each) => `${(100 * each.changed).toFixed(2)} %` },
          ],
        }),
    ),
  );

const artifacts = (found) =>
  section(
    "Files",
    found.artifacts.length
      ? table({
          caption: "Files that it left behind",
          hideCaption: true,
          rows: found.artifacts,
          columns: [
            { name: "kind", label: "Kind", cell: (each) => [words(each.kind), each.device && h("span", { class: "muted" }, ` for ${each.device}`)] },
            { name: "size", label: "Size", number: true, cell: (each) => bytes(each.size_bytes) },
            { name: "sha", label: "SHA-256", cell: (each) => h("span", { class: "mono", title: each.sha256 }, each.sha256.slice(0, 12)) },
            { name: "get", label: h("span", { class: "visually-hidden" }, "Download"), cell: (each) => (each.deleted_at ? h("span", { class: "muted" }, `deleted ${moment(each.deleted_at)}`) : h("a", { href: address(`/artifacts/${each.sha256}`), download: `${each.kind}-${found.id}` }, `Download ${words(each.kind)}`)) },
          ],
        })
      : h("p", { class: "hint" }, "No file was kept."),
    h("p", { class: "hint" }, "On the command line: ", h("code", {}, `paretofarm export ${found.id}`)),
  );

const choices = (found, changed) =>
  h(
    "details",
    {},
    h("summary", {}, `All ${Object.keys(found.architecture.choices).length} choices`),
    table({
      caption: "Choices of the architecture",
      hideCaption: true,
      rows: Object.entries(found.architecture.choices),
      columns: [
        { name: "choice", label: "Choice", cell: ([name]) => [h("code", {}, name), changed.has(name) && h("span", { class: "badge accent" }, "changed")] },
        { name: "value", label: "Value", cell: ([, value]) => String(value) },
      ],
    }),
  );

const origin = (found) => {
  const numbers = found.parents.flatMap((parent, index) => [index ? " and " : " of ", h("a", { href: `/candidates/${parent.id}` }, String(parent.id))]);
  return h("span", {}, found.origin, numbers);
};

const load = async () => {
  const [found, lineage] = await Promise.all([get(path), get(`${path}/lineage`)]);
  const changed = new Set(found.parents.length === 1 ? Object.keys(found.parents[0].changes) : []);
  ready(
    h("div", { class: "head" }, h("h1", {}, `Candidate ${found.id}`), badge(found.status), simulated(found.simulated), actions(found)),
    found.reason && h("p", { class: "notice bad" }, found.reason),
    found.simulated && h("p", { class: "hint" }, "What a simulated phone measured says nothing about silicon."),
    section("Architecture", graph(found.architecture, { changed }), legend(), choices(found, changed)),
    h("div", { class: "below" }, section("Lineage", lineageView(lineage, found))),
    h(
      "div",
      { class: "columns below" },
      section("Metrics", metrics(found), facts([["Search", h("a", { href: `/searches/${segment(search)}` }, search)], ["Origin", origin(found)], ["Digest", h("span", { class: "mono" }, found.digest.slice(0, 16))], ["Number in its search", String(found.number)]])),
      section("Learning curve", learningCurve(found)),
      perClass(found),
      found.measurements.map((measurement, index) => section(`Measurement on ${measurement.device}`, measurementCard(measurement, index))),
      quantization(found),
      scores(found),
      artifacts(found),
      section("Work", work(found)),
    ),
  );
  page().dataset.status = found.status;
};

let before = "";
await live(
  async () => {
    const found = await get(path);
    const mark = JSON.stringify([found.status, found.metrics, found.pinned, found.epochs.length, found.evaluations.map((each) => [each.status, each.attempt])]);
    if (mark === before) return;
    before = mark;
    await load();
  },
  { search },
);
