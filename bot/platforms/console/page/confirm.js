// What a person must read before a dangerous press counts. Cancel has the focus: Enter by habit does nothing.

import { byId, el, icon } from "./dom.js";
import { flat } from "./draw.js";
import { say } from "./words.js";

export function confirmed(button) {
  if (!button.confirm) return Promise.resolve(true);
  const dialog = byId("confirm");
  const yes = el("button", { type: "button", class: `button ${button.style === "danger" ? "danger solid" : "primary"}` }, flat(button.label));
  const no = el("button", { type: "button", class: "button", autofocus: true }, say("confirm.cancel"));
  dialog.dataset.style = button.style;
  dialog.replaceChildren(
    el("h2", { id: "confirm-title" }, icon(button.style === "danger" ? "critical" : "warning"), flat(button.confirm.title)),
    el("p", {}, flat(button.confirm.text)),
    el("p", { class: "confirm-command" }, el("code", {}, button.command)),
    el("div", { class: "confirm-actions" }, no, yes),
  );
  return new Promise((resolve) => {
    let agreed = false;
    yes.addEventListener("click", () => { agreed = true; dialog.close(); });
    no.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => resolve(agreed), { once: true });
    dialog.onclick = (event) => { if (event.target === dialog) dialog.close(); };
    dialog.showModal();
    no.focus();
  });
}
