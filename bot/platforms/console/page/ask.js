// The answers: like a terminal, but each answer is a card.

import { byId, el, icon } from "./dom.js";
import { commandWords, complete, starters, usageOf } from "./complete.js";
import { drawBody, drawTitle } from "./draw.js";
import { clockTime, say } from "./words.js";

const KEPT = 100;
const HISTORY = "pult.history";

let ask = () => {};
let press = () => {};
let rows = [];
let chosen = -1;
let walking = null;

const past = JSON.parse(sessionStorage.getItem(HISTORY) ?? "[]");

export function setUp(hooks) {
  ({ ask, press } = hooks);
  const input = byId("input");
  byId("prompt").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  input.addEventListener("input", () => { walking = null; suggest(); });
  input.addEventListener("keydown", onKey);
  input.addEventListener("blur", () => setTimeout(hide, 150));
  input.addEventListener("focus", () => { if (walking === null) suggest(); });
}

export function label() {
  const input = byId("input");
  input.placeholder = say("ask.placeholder");
  input.setAttribute("aria-label", say("ask.input"));
  byId("suggestions").setAttribute("aria-label", say("ask.suggestions"));
  byId("answers").setAttribute("aria-label", say("ask.answers"));
  byId("ask-title").textContent = say("ask");
  byId("ask-hint").replaceChildren(el("kbd", {}, "/"), ` ${say("ask.hint")}`);
  const send = byId("prompt").querySelector(".send");
  send.replaceChildren(icon("arrow"));
  send.setAttribute("aria-label", say("ask.send"));
  if (!byId("answers").querySelector(".entry")) welcome();
}

export function fill(text) {
  const input = byId("input");
  input.value = text;
  input.focus();
  input.setSelectionRange(text.length, text.length);
  suggest();
}

function welcome() {
  byId("answers").replaceChildren(el("li", { class: "welcome" }, icon("prompt"), el("p", {}, say("ask.empty")),
    el("div", { class: "starters" }, starters().map((word) => el("button", { type: "button", class: "chip", on: { click: () => ask(word) } }, word)))));
}

function submit() {
  const input = byId("input");
  const text = (chosen >= 0 ? rows[chosen].text : input.value).trim();
  if (!text) return;
  remember(text);
  input.value = "";
  walking = null;
  hide();
  ask(text);
}

function remember(text) {
  if (past.at(-1) !== text) past.push(text);
  if (past.length > 50) past.shift();
  sessionStorage.setItem(HISTORY, JSON.stringify(past));
}

function onKey(event) {
  const shown = !byId("suggestions").hidden && rows.length > 0;
  if (event.key === "Escape") {
    if (shown) { hide(); event.stopPropagation(); } else byId("input").blur();
  } else if (event.key === "Tab" && shown && !event.shiftKey) {
    event.preventDefault();
    accept(Math.max(0, chosen));
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const by = event.key === "ArrowDown" ? 1 : -1;
    if (shown && walking === null && (by > 0 || chosen >= 0)) mark(Math.min(rows.length - 1, chosen + by));
    else walk(by);
  }
}

function walk(by) {
  const at = (walking ?? past.length) + by;
  if (at < 0 || (walking === null && by > 0)) return;
  walking = at >= past.length ? null : at;
  byId("input").value = past[at] ?? "";
  hide();
}

function suggest() {
  const input = byId("input");
  rows = complete(input.value);
  const usage = usageOf(input.value);
  chosen = -1;
  const list = byId("suggestions");
  list.replaceChildren(
    ...(usage ? [el("li", { class: "usage", role: "presentation" }, el("code", {}, usage.usage), el("span", {}, usage.about))] : []),
    ...rows.map((row, at) => el("li", { id: `suggestion-${at}`, role: "option", "aria-selected": "false",
      on: { mousedown: (event) => { event.preventDefault(); accept(at); } } }, el("code", {}, row.show), el("span", {}, row.about))));
  list.hidden = !rows.length && !usage;
  input.setAttribute("aria-expanded", String(!list.hidden));
  input.removeAttribute("aria-activedescendant");
}

function mark(at) {
  chosen = at;
  byId("suggestions").querySelectorAll("[role=option]").forEach((node, number) => node.setAttribute("aria-selected", String(number === at)));
  if (at < 0) byId("input").removeAttribute("aria-activedescendant");
  else byId("input").setAttribute("aria-activedescendant", `suggestion-${at}`);
}

function accept(at) {
  fill(rows[at].text);
}

function hide() {
  byId("suggestions").hidden = true;
  byId("input").setAttribute("aria-expanded", "false");
  chosen = -1;
}

// A line for a command just sent; returns what settles it.
export function open(text, title = "") {
  const list = byId("answers");
  list.querySelector(".welcome")?.remove();
  const outcome = el("div", { class: "outcome", "aria-busy": "true" }, el("span", { class: "thinking" }, say("ask.waiting"), el("i"), el("i"), el("i")));
  const entry = el("li", { class: "entry" },
    el("div", { class: "asked" }, el("span", { class: "caret", "aria-hidden": "true" }, "›"), el("code", {}, text),
      title && el("span", { class: "pressed" }, title), el("time", {}, clockTime(Date.now()))), outcome);
  list.append(entry);
  while (list.children.length > KEPT) list.firstChild.remove();
  toEnd();
  return {
    answer(card) {
      settle(outcome, el("article", { class: "card answer", "data-tone": card.tone },
        el("div", { class: "card-head" }, el("span", { class: "sign" }, icon(card.tone, say(`tone.${card.tone}`))),
          el("h3", { class: "card-name" }, drawTitle(card, { fill, commands: commandWords() }))),
        el("div", { class: "card-body" }, drawBody(card, press, { fill, commands: commandWords() }))));
    },
    refuse(key) {
      settle(outcome, el("p", { class: "refusal" }, icon("warning", say("tone.warning")), el("span", {}, say(key))));
    },
  };
}

function settle(outcome, node) {
  outcome.removeAttribute("aria-busy");
  outcome.replaceChildren(node);
  toEnd();
}

// The latest answer whole, or its beginning when it is longer than the pane.
function toEnd() {
  const list = byId("answers");
  const last = list.lastElementChild;
  list.scrollTop = last && last.offsetHeight > list.clientHeight ? last.offsetTop - list.offsetTop : list.scrollHeight;
}
