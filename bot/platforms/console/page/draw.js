// From the server's tree (render.py) to elements. One function per kind of block.

import { el, icon } from "./dom.js";
import { drawGraph, drawSpark } from "./graph.js";
import { roomy } from "./list.js";
import { clockOf, lasting, relative, say } from "./words.js";

export const flat = (runs) => (runs ?? []).map((run) => run.text).join("");

const safe = (url) => /^https?:\/\//i.test(url ?? "");

// A moment that stands alone is told as a distance and lives on; inside a sentence ("held by anna since …") the clock's
// time reads right in every language.
function moment(run, options) {
  if (!options.alone) return [el("time", { datetime: run.at, title: run.text }, clockOf(run.at))];
  const time = el("time", { datetime: run.at, title: run.text, "data-at": run.at }, relative(run.at));
  return options.exact ? [time, el("span", { class: "exact" }, run.text)] : [time];
}

function run(one, options) {
  switch (one.kind) {
    case "strong": return [el("strong", {}, one.text)];
    case "code": return [code(one.text, options)];
    case "link": return safe(one.url)
      ? [el("a", { href: one.url, target: "_blank", rel: "noopener noreferrer" }, one.text, icon("open"))]
      : [el("bdi", {}, one.text)];
    case "moment": return moment(one, options);
    default: return [el("bdi", {}, one.text)];
  }
}

function code(text, options) {
  const [word] = text.split(/\s/, 1);
  if (!options.fill || !options.commands?.has(word)) return el("code", {}, text);
  const fixed = text.split(/\s*[<[]/, 1)[0];
  const typed = fixed === text ? text : `${fixed} `;
  return el("button", { type: "button", class: "fill", on: { click: () => options.fill(typed) } }, text);
}

const runs = (list, options) => (list ?? []).flatMap((one) => run(one, { ...options, alone: list.length === 1 }));

const NUMBER = /^[\s$€+\-−–]?[\d\s.,]+\s?(%|×|x|ms|мс|s|с|min|мин|h|ч|d|д|MB|GB|req)?$/u;
const numeric = (cell) => NUMBER.test(flat(cell).replace(/\u00a0/g, " ").trim());

const BLOCKS = {
  paragraph: (block, options) => el("p", { class: "paragraph" }, runs(block.runs, options)),
  aside: (block, options) => el("p", { class: "aside" }, runs(block.runs, options)),
  preformatted: (block) => el("pre", { tabindex: 0 }, block.text),
  facts: (block, options) => el("dl", { class: "facts" }, block.pairs.map((pair) => el("div", {},
    el("dt", {}, runs(pair.label, options)), el("dd", {}, runs(pair.value, { ...options, exact: true }))))),
  lines,
  graph: (block, options) => drawGraph(block, runs(block.title, options), flat(block.title)),
  collapsed: (block, options) => el("details", { class: "fold" },
    el("summary", {}, icon("chevron"), runs(block.title, options)),
    el("ul", { class: "lines" }, block.items.map((item) => el("li", {}, runs(item, options))))),
  table,
  progress,
};

function lines(block, options) {
  const items = block.items.map((item) => el("li", {}, runs(item, options)));
  return roomy(el("ul", { class: "lines" }, items, block.more > 0 && el("li", { class: "more" }, say("more", { n: block.more }))), items);
}

function table(block, options) {
  const right = block.header.map((_, at) => block.rows.length > 0 && block.rows.every((row) => numeric(row[at])));
  const mark = (at) => ({ class: right[at] ? "number" : undefined });
  const rows = block.rows.map((row) => el("tr", {}, row.map((cell, at) => el("td", mark(at), runs(cell, options)))));
  return roomy(el("div", { class: "table", tabindex: 0 }, el("table", {},
    el("thead", {}, el("tr", {}, block.header.map((cell, at) => el("th", { scope: "col", ...mark(at) }, runs(cell, options))))),
    el("tbody", {}, rows))), rows);
}

const MARK_ICONS = { done: "check", failed: "cross", skipped: "dash" };

function progress(block, options) {
  return el("ol", { class: "steps" }, block.steps.map((step) => el("li", { "data-mark": step.mark },
    el("span", { class: "mark", role: "img", "aria-label": say(`mark.${step.mark}`) },
      MARK_ICONS[step.mark] && icon(MARK_ICONS[step.mark])),
    el("div", {}, el("span", { class: "what" }, runs(step.title, options)),
      step.said && el("span", { class: "said" }, runs(step.said, options))))));
}

function whole(card) {
  const text = card.whole?.trim();
  if (!text || card.blocks.some((block) => block.kind === "preformatted" && block.text.trim() === text)) return null;
  return el("details", { class: "fold" }, el("summary", {}, icon("chevron"), say("whole")), el("pre", { tabindex: 0 }, text));
}

// All below the title. press(button, node) is called for a command; options: fill(text) puts a command into the prompt,
// commands: the words that are commands. Small print that comes last stands beside the buttons.
export function drawBody(card, press, options = {}) {
  const drawn = card.blocks.map((block) => BLOCKS[block.kind]?.(block, options)).filter(Boolean);
  const small = drawn.at(-1)?.classList.contains("aside") && card.buttons.length ? drawn.pop() : null;
  const foot = [drawButtons(card, press), small].filter(Boolean);
  return [...drawn, whole(card), card.clipped && el("p", { class: "aside" }, say("clipped")),
    foot.length && el("div", { class: "card-foot" }, foot)].filter(Boolean);
}

export const drawTitle = (card, options = {}) => runs(card.title, options);

// A button sends its command; an address is a plain link.
function drawButtons(card, press) {
  if (!card.buttons.length) return null;
  return el("div", { class: "actions" }, card.buttons.map((button) => {
    const look = `button ${button.style}`;
    if (!button.command) {
      return safe(button.url)
        ? el("a", { class: look, href: button.url, target: "_blank", rel: "noopener noreferrer" }, flat(button.label), icon("open"))
        : null;
    }
    const node = el("button", { type: "button", class: look, "data-command": button.command }, el("span", {}, flat(button.label)));
    node.addEventListener("click", () => press(button, node));
    return node;
  }));
}

// How far an operation is: [steps over, steps in all], or null for a card without steps.
export function advance(card) {
  const steps = card.blocks.find((block) => block.kind === "progress")?.steps;
  if (!steps?.length) return null;
  return [steps.filter((step) => step.mark === "done" || step.mark === "skipped").length, steps.length];
}

// Since when: the first moment among a card's facts.
export function since(card) {
  const facts = card.blocks.find((block) => block.kind === "facts");
  return facts?.pairs.flatMap((pair) => pair.value).find((one) => one.kind === "moment")?.at ?? null;
}

export function spark(card) {
  const graph = card.blocks.find((block) => block.kind === "graph");
  return graph ? drawSpark(graph) : null;
}

export function tickTimes(root = document) {
  for (const node of root.querySelectorAll("time[data-at]")) {
    const text = relative(node.dataset.at);
    if (node.textContent !== text) node.textContent = text;
  }
  for (const node of root.querySelectorAll("time[data-since]")) {
    const text = lasting(node.dataset.since);
    if (node.textContent !== text) node.textContent = text;
  }
}
