// What may come next on the command line: command words, examples of this department, ids of the cards shown.

import { identifiers } from "./stream.js";

const SHOWN = 6;
const LATIN = /^[\x20-\x7e]*$/;

let commands = [];

export function learn(list) {
  commands = list;
}

export const commandWords = () => new Set(commands.flatMap((command) => command.words));
export const starters = () => ["status", "alerts", "slo", "releases", "ops", "help"].filter((word) => commandWords().has(word));

const find = (word) => commands.find((command) => command.words.includes(word));

function wordsLike(typed) {
  const start = typed.toLowerCase();
  const rank = (word) => (word.startsWith(start) ? 0 : word.includes(start) ? 1 : 2);
  return commands
    .map((command) => {
      const names = command.words.filter((word) => LATIN.test(start) === LATIN.test(word));
      return { command, word: [...names].sort((a, b) => rank(a) - rank(b))[0] ?? command.words[0] };
    })
    .filter(({ word }) => rank(word) < 2)
    .sort((a, b) => rank(a.word) - rank(b.word))
    .map(({ command, word }) => ({ text: command.usage === command.words[0] ? word : `${word} `, show: word + command.usage.slice(command.words[0].length), about: command.about }));
}

const services = () => [...new Set(commands.flatMap((command) => (/^\S+ [<[]service/.test(command.usage) ? command.examples : [])
  .map((example) => example.split(" ")[1])).filter(Boolean))];

function argumentsFor(command, head, last) {
  const slot = command.usage.split(" ").slice(1).join(" ").match(/^[<[]([^>\]]*)/)?.[1] ?? "";
  const kind = command.words[0] === "op" || slot === "op" ? "op" : slot.startsWith("id") ? "alert" : "";
  if (kind) return identifiers(kind).map(({ id, title }) => ({ text: `${head}${id}`, show: id, about: title }));
  if (slot === "service") return services().map((name) => ({ text: `${head}${name}`, show: name, about: "" }));
  if (slot === "command") return commands.map(({ words, about }) => ({ text: `${head}${words[0]}`, show: words[0], about }));
  return last ? [] : command.examples.map((text) => ({ text, show: text, about: "" }));
}

// Rows to offer for *typed*: text to put into the line, what to show, and what it is.
export function complete(typed) {
  const line = typed.trimStart();
  if (!line) return [];
  const [word, ...rest] = line.split(/\s+/);
  if (!rest.length) return wordsLike(word).slice(0, SHOWN);
  const command = find(word.toLowerCase());
  if (!command) return [];
  const examples = command.examples.filter((example) => example.startsWith(line) && example !== line)
    .map((text) => ({ text, show: text, about: "" }));
  const last = rest.at(-1).toLowerCase();
  const near = rest.length > 1 ? [] : argumentsFor(command, `${word} `, last)
    .filter((row) => row.show.toLowerCase().includes(last) && row.text !== line);
  const seen = new Set();
  return [...near, ...examples].filter((row) => !seen.has(row.text.trim()) && seen.add(row.text.trim())).slice(0, SHOWN);
}

export function usageOf(typed) {
  const command = find(typed.trimStart().split(/\s+/)[0].toLowerCase());
  return command && /\s/.test(typed.trimStart()) ? { usage: command.usage, about: command.about } : null;
}
