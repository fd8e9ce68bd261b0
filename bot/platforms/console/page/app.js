// The page: puts the parts together.

import * as asks from "./ask.js";
import { commandWords, learn } from "./complete.js";
import { confirmed } from "./confirm.js";
import { byId, el, icon } from "./dom.js";
import { flat, tickTimes } from "./draw.js";
import * as gate from "./gate.js";
import * as stream from "./stream.js";
import { showBanner, showLink, showOnCall, showPerson, showVitals } from "./strip.js";
import { LOCALES, say, setServerTime, speak } from "./words.js";
import { Wire } from "./wire.js";

const LOCALE = "pult.locale";
const FILTERS = ["all", "alerts", "operations", "releases"];
const TOAST = 6000;

let me = null;
let version = "";
let link = "connecting";
let lastHeard = null;
let filter = "all";
let number = 0;
let settled = false;
let onCall = null;
const pending = new Map();

const wire = new Wire({ message: hear, state: linkChanged, forgotten }, () => {
  const query = { locale: localStorage.getItem(LOCALE) ?? "" };
  return gate.chosen() ? { ...query, as: gate.chosen() } : query;
});

async function enter() {
  const { status, data } = await gate.call("/api/me");
  if (status === 401) {
    me = null;
    wire.stop();
    gate.choose("");
    await gate.ask(data.open, enter);
    return;
  }
  if (status === 200) {
    me = data;
    if (!localStorage.getItem(LOCALE)) speak(me.locale);
  }
  byId("gate").hidden = true;
  byId("frame").hidden = false;
  relabel();
  stream.redraw({ every: true });
  wire.start();
}

// Whether the server no longer knows us: then the door opens instead of another try.
async function forgotten() {
  const { status } = await gate.call("/api/me");
  if (status !== 401) return false;
  enter();
  return true;
}

function hear(data) {
  lastHeard = Date.now();
  switch (data.type) {
    case "hello": greet(data); break;
    case "snapshot": settled = true; onCall = data.on_call; stream.replaceAll(data.cards); break;
    case "card": stream.put(data); break;
    case "answer": answered(data); break;
    case "refused": refused(data); break;
    case "tick": setServerTime(data.at); onCall = data.on_call; showState(); break;
  }
}

function greet(data) {
  setServerTime(data.at);
  me = { ...data.person, open: data.open };
  version = data.version;
  speak(localStorage.getItem(LOCALE) || data.locale);
  learn(data.commands);
  stream.configure({ commands: commandWords() });
  relabel();
}

function linkChanged(state, seconds) {
  link = state === "connecting" && lastHeard && !settled ? "lost" : state;
  if (state === "lost") {
    settled = false;
    for (const [id, one] of pending) { one.entry.refuse("refused.lost"); done(id); }
    showBanner(lastHeard ?? Date.now(), seconds, () => wire.now());
  }
  showState();
}

function showState() {
  if (settled && wire.open) {
    link = "live";
    showBanner(null);
  }
  showLink(link);
  showVitals(settled && link === "live" ? stream.census() : null, link);
  showOnCall(settled && link === "live" ? onCall : null);
}

function ask(text, button = null, node = null) {
  const id = ++number;
  const entry = asks.open(text, button ? flat(button.label) : "");
  pending.set(id, { entry, node, toast: Boolean(button) || document.body.dataset.view !== "ask" });
  if (node) { node.disabled = true; node.classList.add("busy"); }
  if (!wire.send({ type: "ask", id, text, pressed: Boolean(button) })) {
    entry.refuse("refused.offline");
    toast("warning", say("refused.offline"));
    done(id);
  }
}

async function press(button, node) {
  if (await confirmed(button)) ask(button.command, button, node);
}

function done(id) {
  const one = pending.get(id);
  pending.delete(id);
  if (one?.node) { one.node.disabled = false; one.node.classList.remove("busy"); }
  return one;
}

function answered(data) {
  const one = done(data.id);
  if (!one) return;
  one.entry.answer(data.card);
  if (one.toast) toast(data.card.tone, flat(data.card.title));
}

function refused(data) {
  const one = done(data.id);
  one?.entry.refuse(`refused.${data.reason}`);
  if (one?.toast) toast("warning", say(`refused.${data.reason}`));
}

// On a phone the answers are behind a tab: what a press came to is told over it.
function toast(tone, text) {
  if (getComputedStyle(byId("tabs")).display === "none" || document.body.dataset.view === "ask") return;
  const node = el("button", { type: "button", class: "toast", "data-tone": tone, on: { click: () => { node.remove(); view("ask"); } } }, icon(tone), el("span", {}, text));
  byId("toasts").append(node);
  byId("tabs").querySelector("[data-view=ask]").dataset.news = "true";
  setTimeout(() => node.remove(), TOAST);
}

function view(name) {
  document.body.dataset.view = name;
  for (const tab of byId("tabs").children) tab.setAttribute("aria-current", tab.dataset.view === name ? "page" : "false");
  if (name === "ask") delete byId("tabs").querySelector("[data-view=ask]").dataset.news;
}

function relabel() {
  byId("now-title").textContent = say("now");
  byId("filters").replaceChildren(...FILTERS.map((name) => el("button", {
    type: "button", "aria-pressed": String(name === filter), on: { click: () => { filter = name; stream.setFilter(name); relabel(); } } }, say(name))));
  byId("tabs").replaceChildren(
    el("button", { type: "button", "data-view": "now", on: { click: () => view("now") } }, icon("pulse"), el("span", {}, say("now"))),
    el("button", { type: "button", "data-view": "ask", on: { click: () => { view("ask"); byId("input").focus(); } } }, icon("prompt"), el("span", {}, say("ask"))));
  view(document.body.dataset.view);
  asks.label();
  if (me) showPerson(me, version, { speakIn, again });
  showState();
}

function speakIn(locale) {
  localStorage.setItem(LOCALE, locale);
  speak(locale);
  again();
}

function again() {
  settled = false;
  lastHeard = null;
  enter();
}

function onKey(event) {
  const typing = event.target.closest?.("input, textarea, dialog") || event.ctrlKey || event.metaKey || event.altKey;
  if (typing || byId("frame").hidden) return;
  if (event.key === "/") { event.preventDefault(); view("ask"); byId("input").focus(); }
  if (event.key === "j") stream.step(1);
  if (event.key === "k") stream.step(-1);
}

stream.configure({
  press,
  fill: (text) => { view("ask"); asks.fill(text); },
  changed: showState,
  critical: (title) => { byId("alarm").textContent = say("new.critical", { title }); },
});
asks.setUp({ ask, press });
document.addEventListener("keydown", onKey);
setInterval(tickTimes, 1000);
setInterval(() => stream.redraw({}), 60000); // what was news an hour ago is history
const kept = localStorage.getItem(LOCALE);
speak(LOCALES.includes(kept) ? kept : navigator.language.slice(0, 2));
enter();
