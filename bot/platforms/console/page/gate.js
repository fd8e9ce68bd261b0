// The door: a token, or in the open demo a choice of people.

import { byId, el } from "./dom.js";
import { say } from "./words.js";

const CHOSEN = "pult.person";

export const chosen = () => sessionStorage.getItem(CHOSEN) ?? "";
export const choose = (name) => (name ? sessionStorage.setItem(CHOSEN, name) : sessionStorage.removeItem(CHOSEN));

const headers = () => (chosen() ? { "X-Pult-Person": chosen() } : {});

// {status, data}; status 0: nobody answered.
export async function call(path, body) {
  const post = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  try {
    const answer = await fetch(path, { ...post, headers: { "Content-Type": "application/json", ...headers() }, signal: AbortSignal.timeout(10000) });
    return { status: answer.status, data: await answer.json() };
  } catch {
    return { status: 0, data: {} };
  }
}

export const initials = (name) => [...name.trim()].slice(0, 2).join("").toUpperCase();

export function avatar(name) {
  const hue = [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7);
  const node = el("span", { class: "avatar", "aria-hidden": "true" }, initials(name));
  node.style.setProperty("--hue", hue);
  return node;
}

export const rolesOf = (person) => person.roles.join(", ") || say("roles.none");

export async function people() {
  const { status, data } = await call("/api/people");
  return status === 200 ? data.people : [];
}

function panel(title, text, ...children) {
  const gate = byId("gate");
  gate.replaceChildren(el("div", { class: "gate-panel" },
    el("img", { src: "/static/icon.svg", alt: "", width: 44, height: 44 }), el("h1", {}, title), el("p", {}, text), ...children));
  gate.hidden = false;
  byId("frame").hidden = true;
}

// Calls done() once somebody is in.
export async function ask(open, done) {
  if (open) await askWho(done);
  else askToken(done);
}

async function askWho(done) {
  const list = await people();
  const enter = (name) => { choose(name); done(); };
  panel(say("choose.title"), say("choose.text"), el("div", { class: "choices" }, list.map((person) =>
    el("button", { type: "button", class: "choice", on: { click: () => enter(person.name) } },
      avatar(person.name), el("span", {}, el("strong", {}, person.name), el("small", {}, rolesOf(person)))))));
  byId("gate").querySelector("button")?.focus();
}

function askToken(done) {
  const said = el("p", { class: "gate-error", role: "alert" });
  const input = el("input", { type: "password", name: "token", id: "token", autocomplete: "current-password", required: true, maxlength: 500 });
  const go = el("button", { class: "button primary", type: "submit" }, say("login.go"));
  const form = el("form", { class: "gate-form" }, el("label", { for: "token" }, say("login.label")), input, said, go);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    go.disabled = true;
    const { status } = await call("/api/login", { token: input.value });
    go.disabled = false;
    if (status === 200) { done(); return; }
    said.textContent = say({ 401: "login.wrong", 429: "login.many" }[status] ?? "login.away");
    input.select();
  });
  panel(say("login.title"), say("login.text"), form);
  input.focus();
}
