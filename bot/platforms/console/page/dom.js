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

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children.flat(3).filter(Boolean));
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
  held: "M8 12V5.5a1.5 1.5 0 0 1 3 0V11V4a1.5 1.5 0 0 1 3 0v7V5.5a1.5 1.5 0 0 1 3 0V14c0 4-2.5 7-6 7-3 0-4.5-1.5-6-4.5L3.5 13a1.4 1.4 0 0 1 2.4-1.4L8 14",
  silenced: "M6 16V11a6 6 0 0 1 9.5-4.9M18 11v5l1.5 2H8M10 21h4M4 3l17 17",
  storm: "M7 15a4.5 4.5 0 1 1 .8-8.9A5.5 5.5 0 0 1 18.3 8 3.6 3.6 0 0 1 18 15M12 12l-2.5 4.5h4L11 21",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4.5 20.5c.8-3.6 3.800-5.500 7.500-5.500s6.700 1.900 7.500 5.500",
  quiet: "M3 14c3 0 3-4 6-4s3 4 6 4 3-4 6-4M3 19h18",
};

export function icon(name, label = "") {
  const meaning = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return svg("svg", { viewBox: "0 0 24 24", class: `icon icon-${name}`, ...meaning }, svg("path", { d: PATHS[name] ?? PATHS.info }));
}

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
