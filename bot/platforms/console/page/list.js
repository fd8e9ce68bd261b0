// Long lists: they scroll within their card and can be filtered, so that five hundred alerts are one card and not a wall.

import { el } from "./dom.js";
import { say } from "./words.js";

const LONG = 12;

// rows: the elements that the filter hides; node: what holds them.
export function roomy(node, rows) {
  if (rows.length <= LONG) return node;
  const count = el("span", { class: "filter-count", role: "status" });
  const input = el("input", { class: "filter", type: "search", placeholder: say("filter", { n: rows.length }), "aria-label": say("filter", { n: rows.length }), autocomplete: "off", spellcheck: "false" });
  const texts = rows.map((row) => row.textContent.toLowerCase());
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    rows.forEach((row, at) => { row.hidden = !words.every((word) => texts[at].includes(word)); found += row.hidden ? 0 : 1; });
    count.textContent = words.length ? say("filter.found", { found, n: rows.length }) : "";
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && input.value) { event.stopPropagation(); input.value = ""; input.dispatchEvent(new Event("input")); }
  });
  node.classList.add("scrolls");
  node.tabIndex = 0;
  return el("div", { class: "roomy" }, el("div", { class: "filter-line" }, input, count), node);
}

// A card is drawn anew when it changes: what a reader typed, and where they had scrolled to, stays.
export function keepPlaces(card) {
  const lists = [...card.querySelectorAll(".roomy")].map((list) => ({
    text: list.querySelector(".filter").value,
    top: list.querySelector(".scrolls").scrollTop,
    focused: list.querySelector(".filter") === document.activeElement,
  }));
  return () => [...card.querySelectorAll(".roomy")].forEach((list, at) => {
    const { text, top, focused } = lists[at] ?? {};
    const input = list.querySelector(".filter");
    if (text) { input.value = text; input.dispatchEvent(new Event("input")); }
    if (focused) input.focus({ preventScroll: true });
    if (top) list.querySelector(".scrolls").scrollTop = top;
  });
}
