// A graph from data (render.py): lines, a limit, marks; values under the pointer or the arrow keys. Texts of the axes
// are HTML placed by per cent, so the drawing stretches to any width and letters do not.

import { el, svg } from "./dom.js";
import { dayOf, number, say, zoneOf } from "./words.js";

const BOX = 1000; // units of the drawing in both directions; what they are in pixels, the layout decides
const MINUTE = 60e3;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [1, 2, 5, 10, 15, 20, 30].map((n) => n * MINUTE).concat([1, 2, 3, 4, 6, 12].map((n) => n * HOUR), [1, 2, 3, 7, 14, 28, 91, 365].map((n) => n * DAY));
const TICKS = 4;
const BESIDE = 0.15; // marks so far outside the curves, as a share of their length, still count
const NEAR = 0.02; // and values so far from the pointer

// Numbers from the wire: times as instants, and as the reader's own clock shows them.
function read(block) {
  const curves = block.curves.map((curve) => ({ ...curve, points: curve.points.map(([iso, value]) => [Date.parse(iso), value]) }));
  const isos = block.curves.flatMap((curve) => curve.points.map(([iso]) => iso));
  const offset = zoneOf(isos.at(-1) ?? block.marks[0]?.[0] ?? "");
  const marks = block.marks.map(([iso, text]) => [Date.parse(iso), text]);
  return { curves, marks, offset, unit: block.unit, limit: block.limit };
}

function axisX(graph) {
  const times = graph.curves.flatMap((curve) => curve.points.map(([at]) => at));
  let low = Math.min(...times);
  let high = Math.max(...times);
  if (low === high) { low -= 5 * MINUTE; high += 5 * MINUTE; }
  const beside = (high - low) * BESIDE;
  const marks = graph.marks.filter(([at]) => at >= low - beside && at <= high + beside);
  low = Math.min(low, ...marks.map(([at]) => at));
  high = Math.max(high, ...marks.map(([at]) => at));
  const step = STEPS.find((one) => (high - low) / one <= TICKS) ?? STEPS.at(-1);
  const ticks = [];
  for (let at = Math.ceil((low + graph.offset) / step) * step - graph.offset; at <= high; at += step) ticks.push([at, clock(at + graph.offset, step)]);
  return { low, high, ticks, marks, of: (at) => ((at - low) / (high - low)) * BOX };
}

function clock(local, step) {
  const iso = new Date(local).toISOString();
  return step >= DAY || local % DAY === 0 ? dayOf(iso) : iso.slice(11, 16);
}

function axisY(graph) {
  const known = graph.curves.flatMap((curve) => curve.points.map(([, value]) => value)).filter((value) => value !== null);
  const all = graph.limit ? [...known, graph.limit.value] : known;
  let low = Math.min(...all);
  let high = Math.max(...all);
  if (high - low <= Math.max(Math.abs(high), Math.abs(low), 1) * 1e-9) { low -= Math.abs(low) / 8 || 1; high += Math.abs(high) / 8 || 1; }
  if (low >= 0 && low <= 0.8 * high) low = 0;
  const rough = (high - low) / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((n) => n * power >= rough * (1 - 1e-9)) * power;
  const bottom = Math.floor(low / step + 1e-9) * step;
  const count = Math.ceil((high - bottom) / step - 1e-9);
  const top = bottom + count * step;
  const digits = Math.max(0, Math.min(9, -Math.floor(Math.log10(step) + 1e-9) + (Math.abs(step / power - 2.5) < 1e-6 ? 1 : 0)));
  const ticks = Array.from({ length: count + 1 }, (_, n) => [bottom + n * step, shown(bottom + n * step, graph.unit, digits)]);
  return { low: bottom, high: top, ticks, of: (value) => BOX - ((value - bottom) / (top - bottom)) * BOX };
}

const shown = (value, [before, after], digits) => `${before}${number(value, digits)}${after}`;
const digitsOf = (value) => { const size = Math.abs(value); return size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 4; };

function runsOf(points) {
  const runs = [];
  let run = null;
  for (const [at, value] of points) {
    if (value === null) run = null;
    else if (run) run.push([at, value]);
    else runs.push(run = [[at, value]]);
  }
  return runs;
}

const path = (points) => points.map(([x, y], at) => `${at ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

// Paths of one curve: its line, what is under it, its dots (points alone, and the value now).
function paths(curve, x, y) {
  const placed = runsOf(curve.points).map((run) => run.map(([at, value]) => [x(at), y(value)]));
  const [at, value] = curve.points.at(-1) ?? [0, null];
  const dots = placed.filter((run) => run.length === 1).map((run) => run[0]).concat(value === null ? [] : [[x(at), y(value)]]);
  return {
    line: placed.map(path).join(""),
    area: placed.filter((run) => run.length > 1).map((run) => `${path(run)}L${run.at(-1)[0].toFixed(1)} ${BOX}L${run[0][0].toFixed(1)} ${BOX}Z`).join(""),
    dots: dots.map(([left, top]) => `M${left.toFixed(1)} ${top.toFixed(1)}h0`).join(""),
  };
}

const across = (height) => `M0 ${height.toFixed(1)}H${BOX}`;
const down = (place) => `M${place.toFixed(1)} 0V${BOX}`;

function place(node, styles) {
  for (const [name, value] of Object.entries(styles)) node.style[name] = `${(value / BOX) * 100}%`;
  return node;
}

function drawing(graph, x, y, label) {
  const curves = graph.curves.map((curve, at) => [paths(curve, x.of, y.of), at]).reverse(); // the first one on top
  return svg("svg", { class: "graph-svg", viewBox: `0 0 ${BOX} ${BOX}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
    y.ticks.map(([value]) => svg("path", { class: "grid", d: across(y.of(value)) })),
    graph.curves.length === 1 && svg("path", { class: "area", "data-curve": 0, d: curves[0][0].area }),
    graph.limit && svg("path", { class: "limit", d: across(y.of(graph.limit.value)) }),
    x.marks.map(([at]) => svg("path", { class: "mark-line", d: down(x.of(at)) })),
    curves.map(([drawn, at]) => [svg("path", { class: "curve", "data-curve": at, d: drawn.line }), svg("path", { class: "dots", "data-curve": at, d: drawn.dots })]));
}

function legend(block) {
  if (block.curves.length < 2) return null;
  return el("ul", { class: "graph-legend" }, block.curves.map((curve, at) => el("li", { title: curve.figures }, sample(at), el("bdi", {}, curve.name), el("b", {}, curve.now))),
    block.more > 0 && el("li", { class: "more" }, say("more", { n: block.more })));
}

const sample = (at) => svg("svg", { class: "sample", viewBox: "0 0 24 8", "aria-hidden": "true" }, svg("path", { class: "curve", "data-curve": at, d: "M1 4H23" }));

// What every curve says at one instant. The pointer moves it, and the arrow keys.
function cursor(plot, graph, x) {
  const line = el("i", { class: "cursor", hidden: true });
  const tip = el("output", { class: "graph-tip", hidden: true });
  const times = [...new Set(graph.curves.flatMap((curve) => curve.points.map(([at]) => at)))].sort((a, b) => a - b);
  let at = -1;
  const hide = () => { line.hidden = tip.hidden = true; at = -1; };
  const show = (index) => {
    at = Math.max(0, Math.min(times.length - 1, index));
    const left = x.of(times[at]);
    const iso = new Date(times[at] + graph.offset).toISOString();
    tip.replaceChildren(el("time", {}, x.high - x.low > DAY ? `${dayOf(iso)} ${iso.slice(11, 16)}` : iso.slice(11, 16)), ...graph.curves.map((curve, number) => reading(curve, number, graph, times[at], (x.high - x.low) * NEAR)));
    place(line, { left });
    place(tip, { left });
    tip.classList.toggle("flip", left > BOX / 2);
    line.hidden = tip.hidden = false;
  };
  const nearest = (event) => {
    const box = plot.getBoundingClientRect();
    const wanted = x.low + ((event.clientX - box.left) / box.width) * (x.high - x.low);
    show(times.reduce((best, time, index) => (Math.abs(time - wanted) < Math.abs(times[best] - wanted) ? index : best), 0));
  };
  const keys = { ArrowLeft: () => at - 1, ArrowRight: () => at + 1, Home: () => 0, End: () => times.length - 1 };
  plot.addEventListener("pointermove", nearest);
  plot.addEventListener("pointerdown", nearest);
  plot.addEventListener("pointerleave", hide);
  plot.addEventListener("blur", hide);
  plot.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
    if (!(event.key in keys)) return;
    event.preventDefault();
    show(at < 0 && event.key.startsWith("Arrow") ? times.length - 1 : keys[event.key]());
  });
  return [line, tip];
}

function reading(curve, number, graph, at, near) {
  const [time, value] = curve.points.reduce((best, point) => (Math.abs(point[0] - at) < Math.abs(best[0] - at) ? point : best), curve.points[0] ?? [0, null]);
  const known = value !== null && Math.abs(time - at) <= near;
  return el("span", {}, graph.curves.length > 1 && [sample(number), el("bdi", {}, curve.name)], el("b", {}, known ? shown(value, graph.unit, digitsOf(value)) : say("graph.unknown")));
}

function labels(x, y, graph) {
  return [
    y.ticks.map(([value, text]) => place(el("span", { class: "tick-y" }, text), { top: y.of(value) })),
    x.ticks.map(([at, text]) => place(el("span", { class: "tick-x" }, text), { left: x.of(at) })),
    graph.limit && place(el("span", { class: `limit-text${y.of(graph.limit.value) < BOX / 5 ? " below" : ""}` }, graph.limit.text), { top: y.of(graph.limit.value) }),
  ];
}

// The labels of marks stand in a line over the plot, each cut where the next begins. The last one leans to the left
// where there is no room on its right; one without room anywhere leaves its line to speak.
function markLabels(x) {
  const lefts = x.marks.map(([at]) => x.of(at));
  const last = lefts.length - 1;
  const leans = BOX - lefts[last] < BOX / 5;
  const back = leans ? Math.min(lefts[last], last ? (lefts[last] - lefts[last - 1]) / 2 : BOX) : 0;
  return x.marks.map(([, text], at) => {
    const flip = at === last && leans;
    const room = flip ? back : (at < last ? lefts[at + 1] - (at + 1 === last ? back : 0) : BOX) - lefts[at];
    if (room < BOX / 14) return null;
    return place(el("span", { class: `mark-text${flip ? " flip" : ""}`, title: text }, text), { left: lefts[at], maxWidth: room });
  });
}

const known = (block) => block.curves.some((curve) => curve.points.some(([, value]) => value !== null));

export function drawGraph(block, titleRuns, title) {
  const head = el("figcaption", {}, el("span", { class: "graph-title" }, titleRuns), block.curves.length === 1 && known(block) && el("span", { class: "graph-figures" }, block.curves[0].figures));
  if (!known(block)) return el("figure", { class: "graph" }, head, el("p", { class: "graph-nothing" }, block.trend));
  const graph = read(block);
  const x = axisX(graph);
  const y = axisY(graph);
  const plot = el("div", { class: "graph-plot", tabindex: 0 }, drawing(graph, x, y, `${title}: ${block.trend}`));
  plot.append(...[labels(x, y, graph), markLabels(x), cursor(plot, graph, x)].flat(2).filter(Boolean));
  const widest = Math.max(...y.ticks.map(([, text]) => text.length));
  plot.style.setProperty("--gutter", `${widest + 1.5}ch`);
  return el("figure", { class: `graph${x.marks.length ? " marked" : ""}` }, head, legend(block), plot);
}

// The trend no bigger than a word, for a card that is folded.
export function drawSpark(block) {
  if (!known(block)) return null;
  const graph = read(block);
  return svg("svg", { class: "spark", viewBox: `0 0 ${BOX} ${BOX}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("path", { class: "curve", "data-curve": 0, d: paths(graph.curves[0], axisX(graph).of, axisY(graph).of).line }));
}
