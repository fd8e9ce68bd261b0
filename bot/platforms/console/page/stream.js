// The live cards: what needs a person first, what is over last.

import { byId, calm, el, icon } from "./dom.js";
import { advance, drawBody, drawTitle, flat, since, spark } from "./draw.js";
import { keepPlaces } from "./list.js";
import { lasting, relative, say, serverNow } from "./words.js";

const FRESH = 60 * 60 * 1000;
const SETTLED_SHOWN = 12;
const SETTLED_KEPT = 300;
const GLIDING = 100; // above so many cards they jump: a storm must not cost frames
const GATHER = 30; // milliseconds in which changes are drawn together
const OVER = 100;
const KINDS = { alert: "alerts", storm: "alerts", "storm-list": "alerts", op: "operations", release: "releases" };
const ALERT = { critical: 0, warning: 30, info: 50, muted: 60, working: 40 };

const cards = new Map();
let filter = "all";
let showAll = false;
let loaded = false;
let drawing = null;
let hooks = { press: () => {}, fill: () => {}, commands: new Set(), changed: () => {}, critical: () => {} };

export const kindOf = (id) => id.split(":", 1)[0];
export const shortId = (id) => id.slice(id.indexOf(":") + 1);
const awaits = (entry) => entry.card.buttons.some((button) => button.command);

// How an alert stands: nobody's (firing), somebody's (held), silenced, resolved. Who may still take it sees the button.
export function stateOf({ id, card }) {
  if (kindOf(id) !== "alert") return null;
  if (card.tone === "ok") return "resolved";
  if (card.tone === "muted") return "silenced";
  const commands = card.buttons.map((button) => button.command).filter(Boolean);
  return commands.length && !commands.some((command) => command.startsWith("ack ")) ? "held" : "firing";
}

// Lower is more urgent; OVER and above is history.
function urgency(entry) {
  const { tone } = entry.card;
  const fresh = serverNow() - Date.parse(entry.at) < FRESH;
  switch (kindOf(entry.id)) {
    case "alert": return (ALERT[tone] ?? OVER) + (stateOf(entry) === "held" ? 5 : 0);
    case "storm": return (ALERT[tone] ?? OVER) - 1;
    case "storm-list": return fresh ? 61 : OVER;
    case "op":
      if (tone === "working" || tone === "info") return 40;
      if (awaits(entry)) return tone === "critical" ? 10 : 20;
      return tone === "critical" && fresh ? 25 : OVER;
    case "release": return awaits(entry) || (tone === "info" && fresh) ? 70 : OVER;
    default: return fresh && tone !== "ok" && tone !== "muted" ? 35 : OVER;
  }
}

export const isOpenOperation = (entry) => kindOf(entry.id) === "op" && (entry.card.tone === "working" || awaits(entry));

export function census() {
  const found = { critical: 0, warning: 0, info: 0, muted: 0, storm: 0, held: { critical: 0, warning: 0, info: 0 }, ops: 0, waiting: 0 };
  for (const entry of cards.values()) {
    const { tone } = entry.card;
    if (kindOf(entry.id) === "alert" && tone in found) {
      found[tone] += 1;
      if (stateOf(entry) === "held") found.held[tone] += 1;
    }
    if (kindOf(entry.id) === "storm" && urgency(entry) < OVER) found.storm += 1;
    if (isOpenOperation(entry)) {
      found.ops += 1;
      if (awaits(entry)) found.waiting += 1;
    }
  }
  return found;
}

export const identifiers = (kind) => [...cards.values()].filter((entry) => kindOf(entry.id) === kind)
  .sort((a, b) => urgency(a) - urgency(b)).map((entry) => ({ id: shortId(entry.id), title: flat(entry.card.title) }));

export function configure(given) {
  hooks = { ...hooks, ...given };
}

export function replaceAll(list) {
  const known = new Map(cards);
  cards.clear();
  loaded = true;
  for (const one of list) cards.set(one.id, { ...one, first: known.get(one.id)?.first ?? one.at, node: known.get(one.id)?.node });
  redraw({ every: true });
}

export function put(update) {
  const old = cards.get(update.id);
  if (old && old.destination === update.destination && old.revision > update.revision) return;
  cards.set(update.id, { ...update, first: old?.first ?? update.at, node: old?.node, news: true });
  drawing ??= setTimeout(() => redraw({}), GATHER);
  const critical = (entry) => entry && kindOf(entry.id) === "alert" && entry.card.tone === "critical";
  if (critical(update) && !critical(old)) hooks.critical(flat(update.card.title));
}

export function setFilter(wanted) {
  filter = wanted;
  redraw({});
}

function header(entry, settled) {
  const { card, id } = entry;
  const state = stateOf(entry);
  const steps = advance(card);
  const named = state === "held" || state === "silenced" ? el("span", { class: "state" }, icon(state), say(`state.${state}`)) : null;
  const done = steps && card.tone === "working" && el("span", {}, say("steps", { done: steps[0], all: steps[1] }));
  const sign = state === "silenced" ? state : kindOf(id) === "storm" && card.tone !== "ok" ? "storm" : card.tone;
  return [
    el("span", { class: "sign" }, icon(sign, say(`tone.${card.tone}`))),
    el(settled ? "span" : "h3", { class: "card-name" }, drawTitle(card)),
    settled ? spark(card) : el("span", { class: "kind" }, say(kindOf(id)), done, named),
    age(entry, !settled && since(card)),
  ];
}

// What goes on says how long it has; all else, when it changed.
function age(entry, from) {
  const on = from && ["alert", "storm"].includes(kindOf(entry.id));
  const changed = say("changed", { time: new Date(entry.at).toLocaleString() });
  if (!on) return el("time", { class: "age", datetime: entry.at, "data-at": entry.at, title: changed }, relative(entry.at));
  return el("time", { class: "age going", datetime: from, "data-since": from, title: `${say("since", { time: new Date(from).toLocaleString() })}; ${changed}` }, lasting(from));
}

function fill(entry) {
  const settled = urgency(entry) >= OVER;
  const node = entry.node;
  const kept = [...node.querySelectorAll("details")].map((fold) => fold.open);
  const unfolded = node.dataset.open === "true";
  const places = keepPlaces(node);
  node.dataset.tone = entry.card.tone;
  node.dataset.settled = String(settled);
  node.dataset.state = stateOf(entry) ?? "";
  const body = el("div", { class: "card-body", id: `body-${entry.id}` }, drawBody(entry.card, hooks.press, { fill: hooks.fill, commands: hooks.commands }));
  body.hidden = settled && !unfolded;
  const head = settled
    ? el("button", { type: "button", class: "card-head", "aria-expanded": String(unfolded), "aria-controls": `body-${entry.id}` }, header(entry, true), el("span", { class: "fold-sign" }, icon("chevron")))
    : el("div", { class: "card-head" }, header(entry, false));
  if (settled) head.addEventListener("click", () => unfold(node, head, body));
  const steps = advance(entry.card);
  const meter = !settled && steps && entry.card.tone === "working"
    && el("progress", { class: "meter", max: steps[1], value: steps[0], "aria-label": say("steps", { done: steps[0], all: steps[1] }) });
  node.replaceChildren(...[head, meter, body].filter(Boolean));
  node.querySelectorAll("details").forEach((fold, at) => { fold.open = kept[at] ?? fold.open; });
  places();
}

function unfold(node, head, body) {
  const open = node.dataset.open !== "true";
  node.dataset.open = String(open);
  head.setAttribute("aria-expanded", String(open));
  body.hidden = !open;
}

function ensure(entry, every) {
  const isNew = !entry.node;
  if (isNew) entry.node = el("article", { class: "card", tabindex: -1, "data-id": entry.id, "data-kind": kindOf(entry.id) });
  const settled = String(urgency(entry) >= OVER);
  if (!(isNew || every || entry.news || entry.node.dataset.settled !== settled)) return;
  fill(entry);
  if (entry.news && !calm()) {
    const look = isNew ? "arrives" : "changes";
    entry.node.classList.remove("arrives", "changes");
    entry.node.getBoundingClientRect(); // restarts the animation
    entry.node.classList.add(look);
  }
  entry.news = false;
}

function section(id, title, entries, extra) {
  return entries.length ? [el("h2", { class: "section", id }, title, el("span", { class: "number" }, String(extra ?? entries.length))), ...entries.map((entry) => entry.node)] : [];
}

function ordered() {
  const list = [...cards.values()].filter((entry) => filter === "all" || KINDS[kindOf(entry.id)] === filter);
  const byAge = (a, b) => Date.parse(b.first) - Date.parse(a.first);
  const live = list.filter((entry) => urgency(entry) < OVER).sort((a, b) => urgency(a) - urgency(b) || byAge(a, b));
  const over = list.filter((entry) => urgency(entry) >= OVER).sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  for (const entry of over.splice(SETTLED_KEPT)) cards.delete(entry.id);
  return { live, over };
}

export function redraw({ every = false }) {
  clearTimeout(drawing);
  drawing = null;
  const box = byId("cards");
  const { live, over } = ordered();
  const shown = showAll ? over : over.slice(0, SETTLED_SHOWN);
  const places = calm() || every || live.length > GLIDING ? null : new Map([...live, ...shown].filter((e) => e.node?.isConnected).map((e) => [e.node, e.node.getBoundingClientRect().top]));
  const focus = remember();
  for (const entry of [...live, ...shown]) ensure(entry, every);
  const parts = [...(live.length ? live.map((entry) => entry.node) : [empty()]), ...section("earlier", say("earlier"), shown, over.length)];
  if (shown.length < over.length) {
    parts.push(el("button", { type: "button", class: "button small more-cards", on: { click: () => { showAll = true; redraw({}); } } }, say("earlier.all", { n: over.length })));
  }
  settle(box, parts);
  restore(focus);
  if (places) glide(places);
  hooks.changed();
}

// Moves only what stands wrong, so that nothing being read or pressed is torn out and put back.
function settle(box, parts) {
  const wanted = new Set(parts);
  for (const node of [...box.children]) if (!wanted.has(node)) node.remove();
  parts.forEach((node, at) => { if (box.children[at] !== node) box.insertBefore(node, box.children[at] ?? null); });
}

function empty() {
  if (!loaded) return el("div", { class: "skeletons", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
  if (filter !== "all") return el("p", { class: "empty" }, say("empty.filter"));
  return el("div", { class: "empty" }, icon("quiet"), el("strong", {}, say("empty.title")), el("p", {}, say("empty.text")));
}

function remember() {
  const active = document.activeElement;
  const card = active?.closest?.("#cards .card");
  return card && { card, command: active.dataset.command, self: active === card, head: active.classList.contains("card-head") };
}

function restore(focus) {
  if (!focus?.card.isConnected || focus.card.contains(document.activeElement)) return;
  const again = focus.command && [...focus.card.querySelectorAll("[data-command]")].find((node) => node.dataset.command === focus.command);
  (again || (focus.head && focus.card.querySelector("button.card-head")) || focus.card).focus({ preventScroll: true });
}

function glide(places) {
  for (const [node, top] of places) {
    const by = top - node.getBoundingClientRect().top;
    if (by && node.isConnected) node.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }], { duration: 260, easing: "cubic-bezier(.2,.8,.2,1)" });
  }
}

export function step(by) {
  const all = [...document.querySelectorAll("#cards .card")];
  const at = all.indexOf(document.activeElement?.closest?.(".card"));
  const next = all[Math.min(all.length - 1, Math.max(0, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}
