// The strip on top: how bad it is, whether we would know, who I am, in which language.

import { byId, el, icon } from "./dom.js";
import { avatar, call, choose, people, rolesOf } from "./gate.js";
import { clockTime, count, LOCALES, say, spoken } from "./words.js";

const NAMES = { en: "EN", ru: "RU" };

function vital(tone, n, word, extra, sign = tone) {
  return el("span", { "data-tone": tone }, icon(sign), el("b", {}, String(n)),
    el("span", { class: "vital-word" }, word), extra);
}

// Without a connection nobody knows, and the strip says so instead of showing old numbers as if they were true.
export function showVitals(found, link) {
  const list = byId("vitals");
  if (!found) {
    list.replaceChildren(el("span", { class: "unknown" }, icon("pulse"), el("span", {}, say(link === "lost" ? "vital.unknown" : "link.connecting"))));
    document.title = "pult";
    return;
  }
  const { critical, warning, info, muted, storm, held, ops, waiting } = found;
  const quiet = !critical && !warning && !info && !storm;
  const taken = (tone) => held[tone] > 0 && el("em", {}, `${held[tone]} ${count("vital.held", held[tone])}`);
  list.replaceChildren(...[
    quiet && el("span", { "data-tone": "ok", class: "quiet" }, icon("ok"), el("span", {}, say("vital.quiet"))),
    critical > 0 && vital("critical", critical, count("vital.critical", critical), taken("critical")),
    warning > 0 && vital("warning", warning, count("vital.warning", warning), taken("warning")),
    storm > 0 && vital("warning", storm, count("vital.storm", storm), null, "storm"),
    info > 0 && vital("info", info, count("vital.info", info), taken("info")),
    muted > 0 && vital("muted", muted, count("vital.silenced", muted), null, "silenced"),
    ops > 0 && vital("working", ops, count("vital.ops", ops), waiting > 0 && el("em", {}, `${waiting} ${count("vital.waiting", waiting)}`)),
  ].filter(Boolean));
  document.title = critical ? `▲ ${critical} ${count("vital.critical", critical)} · pult` : "pult";
  byId("favicon").href = critical ? "/static/icon-critical.svg" : "/static/icon.svg";
}

// names: null while it is not known, or where there is no rotation; an empty list is a hole that somebody must see.
export function showOnCall(names) {
  const spot = byId("oncall");
  spot.hidden = names === null;
  if (names === null) return;
  const nobody = names.length === 0;
  spot.dataset.tone = nobody ? "warning" : "muted";
  spot.title = nobody ? say("oncall.nobody") : `${say("oncall")}: ${names.join(", ")}`;
  spot.replaceChildren(...(nobody ? [icon("warning"), el("span", {}, say("oncall.nobody"))]
    : [el("span", { class: "oncall-word" }, say("oncall")), ...names.slice(0, 3).map((name) => el("span", { class: "oncall-name" }, avatar(name), el("b", {}, name)))]));
}

export function showLink(state) {
  document.body.dataset.link = state;
  byId("link").querySelector("span").textContent = say(`link.${state}`);
}

let counting;

export function showBanner(lostAt, seconds, retry) {
  const banner = byId("banner");
  clearInterval(counting);
  banner.hidden = lostAt === null;
  if (banner.hidden) return;
  const until = Date.now() + seconds * 1000;
  const [text, button] = banner.children;
  button.textContent = say("banner.now");
  button.onclick = retry;
  const tell = () => {
    const n = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    text.textContent = `${say("banner.lost", { time: clockTime(lostAt) })} ${n > 0 ? say("banner.retry", { n }) : say("banner.trying")}`;
  };
  tell();
  counting = setInterval(tell, 1000);
}

function languages(speakIn) {
  return LOCALES.map((locale) => el("button", { type: "button", lang: locale, "aria-pressed": String(locale === spoken()), on: { click: () => speakIn(locale) } }, NAMES[locale]));
}

export function showPerson(me, version, hooks) {
  const { speakIn } = hooks;
  const language = byId("language");
  language.setAttribute("aria-label", say("language"));
  language.replaceChildren(...languages(speakIn));
  const button = byId("person");
  button.setAttribute("aria-label", say("person.menu", { name: me.name }));
  button.replaceChildren(avatar(me.name), el("span", { class: "person-name" }, me.name), icon("chevron"));
  byId("menu").ontoggle = (event) => { if (event.newState === "open") fillMenu(me, version, hooks); };
}

async function fillMenu(me, version, { speakIn, again }) {
  const menu = byId("menu");
  const close = () => menu.hidePopover();
  const parts = [
    el("div", { class: "menu-me" }, avatar(me.name), el("span", {}, el("strong", {}, me.name), el("small", {}, rolesOf(me)))),
    el("div", { class: "segments", role: "group", "aria-label": say("language") }, languages((locale) => { close(); speakIn(locale); })),
  ];
  if (me.open) {
    const others = (await people()).filter((person) => person.name !== me.name);
    parts.push(el("div", { class: "menu-people" }, el("small", {}, say("person.act")), others.map((person) =>
      el("button", { type: "button", class: "choice", on: { click: () => { close(); choose(person.name); again(); } } },
        avatar(person.name), el("span", {}, el("strong", {}, person.name), el("small", {}, rolesOf(person)))))));
  }
  const out = el("button", { type: "button", class: "button small", on: { click: async () => { close(); choose(""); await call("/api/logout", {}); again(); } } }, say("person.out"));
  parts.push(el("div", { class: "menu-end" }, out, version && el("small", {}, say("version", { version }))));
  menu.replaceChildren(...parts);
}
