// Elements without markup: every text goes in as a text node, so nothing from outside can become HTML.

export const byId = (id) => document.getElementById(id);

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, hear] of Object.entries(value)) node.addEventListener(event, hear);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const PATHS = {
  // Shapes differ as much as colours do: octagon, triangle, circle, tick, dash, arc.
  critical: "M8.1 2h7.8L22 8.1v7.8L15.9 22H8.1L2 15.9V8.1zM12 7v6M12 16.5v.5",
  warning: "M12 3 22.5 21h-21zM12 10v5M12 17.8v.4",
  info: "M12 2.5a9.5 9.5 0 1 1 0 19 9.5 9.5 0 0 1 0-19M12 11v6M12 7.2v.4",
  ok: "M12 2.5a9.5 9.5 0 1 1 0 19 9.5 9.5 0 0 1 0-19M7.5 12.3l3.2 3.2 6-6.6",
  muted: "M12 2.5a9.5 9.5 0 1 1 0 19 9.5 9.5 0 0 1 0-19M7.5 12h9",
  working: "M12 2.5a9.5 9.5 0 1 1-9.5 9.5",
  check: "M4.5 12.8l4.8 4.8L19.5 7",
  cross: "M6 6l12 12M18 6 6 18",
  dash: "M6 12h12",
  arrow: "M12 20V5M5.5 11 12 4.5 18.5 11",
  open: "M14 4h6v6M20 4l-9 9M18 14v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h5",
  chevron: "M6 9l6 6 6-6",
  pulse: "M2 12h5l2.5-7 5 14 2.5-7h5",
  prompt: "M4 6l6 6-6 6M12 18h8",
  quiet: "M3 14c3 0 3-4 6-4s3 4 6 4 3-4 6-4M3 19h18",
};

export function icon(name, label = "") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name] ?? PATHS.info);
  svg.append(path);
  return svg;
}

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
