// The page's own words, and time in words. Everything inside cards comes translated from the server.

const TEXTS = {
  en: {
    now: "Now", earlier: "Earlier", ask: "Ask", all: "All", alerts: "Alerts", operations: "Operations",
    releases: "Releases", alert: "Alert", op: "Operation", release: "Release", notice: "Notice", reply: "Answer",
    storm: "Alert storm", "storm-list": "Alerts of the storm", news: "News",
    "state.firing": "firing", "state.held": "held", "state.silenced": "silenced", "state.resolved": "resolved",
    "since": "since {time}", "graph.unknown": "no data", filter: "Filter {n} lines", "filter.found": "{found} of {n}",
    "vital.critical": ["critical", "critical"], "vital.warning": ["warning", "warnings"],
    "vital.ops": ["operation open", "operations open"], "vital.waiting": ["waiting", "waiting"],
    "vital.quiet": "Nothing is firing", "vital.unknown": "Not connected: unknown",
    "vital.info": ["notice", "notices"], "vital.silenced": ["silenced", "silenced"], "vital.storm": ["storm", "storms"],
    "vital.held": ["held", "held"], "oncall": "On call", "oncall.nobody": "Nobody is on call",
    "link.live": "Live", "link.connecting": "Connecting", "link.lost": "Offline",
    "banner.lost": "Connection lost. What stands here is as of {time}.", "banner.retry": "Next try in {n} s.",
    "banner.trying": "Trying now.", "banner.now": "Try now",
    "empty.title": "All quiet", "empty.text": "Alerts, operations and releases appear here as they happen.",
    "empty.filter": "Nothing of this kind.", "earlier.all": "Show all {n}",
    "ask.hint": "to type", "ask.placeholder": "Ask pult: status, slo api, restart api", "ask.send": "Send",
    "ask.empty": "Type a command, or start with one of these.", "ask.waiting": "Working on it",
    "ask.suggestions": "Suggestions", "ask.input": "Command", "ask.answers": "Answers",
    "refused.too_fast": "Too many commands at once. Try again in a few seconds.",
    "refused.unavailable": "pult could not take this command. Nothing was done; try again.",
    "refused.broken": "pult could not finish this. Look at the card before you try again.",
    "refused.malformed": "pult could not read this command.",
    "refused.lost": "The connection broke before the answer. It may have been done: look at the card before you repeat it.",
    "refused.offline": "Not connected, so nothing was sent.",
    "confirm.cancel": "Cancel", "tone.critical": "critical", "tone.warning": "warning", "tone.info": "information",
    "tone.ok": "all right", "tone.muted": "quiet", "tone.working": "under way",
    "mark.pending": "to do", "mark.running": "running", "mark.done": "done", "mark.failed": "failed",
    "mark.skipped": "skipped", more: "and {n} more", whole: "Full text", clipped: "Cut: this card is too large to show whole.",
    steps: "{done} of {all} steps", changed: "changed {time}",
    "login.title": "Sign in to pult", "login.text": "With your personal token: the one in the configuration under [[people]].",
    "login.label": "Personal token", "login.go": "Sign in", "login.wrong": "This token belongs to nobody here.",
    "login.many": "Too many wrong tokens. Wait a minute.", "login.away": "pult does not answer. Try again.",
    "choose.title": "Who are you?", "choose.text": "A rehearsal without logins. To approve as a second person, switch in the corner or open a second tab.",
    "person.act": "Act as", "person.out": "Sign out", "person.menu": "You are {name}", language: "Language",
    "new.critical": "New critical: {title}", "roles.none": "looks only", "just": "just now",
    ago: "{t} ago", ahead: "in {t}", s: "s", min: "min", h: "h", d: "d", expand: "Show the whole card", version: "pult {version}",
  },
  ru: {
    now: "Сейчас", earlier: "Раньше", ask: "Команды", all: "Всё", alerts: "Алерты", operations: "Операции",
    releases: "Релизы", alert: "Алерт", op: "Операция", release: "Релиз", notice: "Сообщение", reply: "Ответ",
    storm: "Шторм алертов", "storm-list": "Алерты шторма", news: "Новость",
    "state.firing": "горит", "state.held": "взят", "state.silenced": "тишина", "state.resolved": "решён",
    "since": "с {time}", "graph.unknown": "нет данных", filter: "Найти среди {n} строк", "filter.found": "{found} из {n}",
    "vital.critical": ["критический", "критических", "критических"],
    "vital.warning": ["предупреждение", "предупреждения", "предупреждений"],
    "vital.ops": ["открытая операция", "открытые операции", "открытых операций"],
    "vital.waiting": ["ждёт", "ждут", "ждут"],
    "vital.quiet": "Ничего не горит", "vital.unknown": "Нет связи: неизвестно",
    "vital.info": ["уведомление", "уведомления", "уведомлений"], "vital.silenced": ["в тишине", "в тишине", "в тишине"],
    "vital.storm": ["шторм", "шторма", "штормов"], "vital.held": ["взят", "взято", "взято"], "oncall": "Дежурит", "oncall.nobody": "Никто не дежурит",
    "link.live": "На связи", "link.connecting": "Соединение", "link.lost": "Нет связи",
    "banner.lost": "Связь потеряна. Здесь то, что было в {time}.", "banner.retry": "Новая попытка через {n} с.",
    "banner.trying": "Пробуем.", "banner.now": "Сейчас",
    "empty.title": "Всё спокойно", "empty.text": "Алерты, операции и релизы появляются здесь сами.",
    "empty.filter": "Такого сейчас нет.", "earlier.all": "Показать все {n}",
    "ask.hint": "строка команд", "ask.placeholder": "Команда: статус, цели api, перезапусти api", "ask.send": "Отправить",
    "ask.empty": "Введите команду или начните с одной из этих.", "ask.waiting": "Выполняется",
    "ask.suggestions": "Подсказки", "ask.input": "Команда", "ask.answers": "Ответы",
    "refused.too_fast": "Слишком много команд сразу. Повторите через несколько секунд.",
    "refused.unavailable": "pult не смог принять команду. Ничего не сделано; повторите.",
    "refused.broken": "pult не смог закончить. Посмотрите на карточку, прежде чем повторять.",
    "refused.malformed": "pult не смог прочитать команду.",
    "refused.lost": "Связь оборвалась до ответа. Возможно, команда выполнена: посмотрите на карточку, прежде чем повторять.",
    "refused.offline": "Нет связи, ничего не отправлено.",
    "confirm.cancel": "Отмена", "tone.critical": "критично", "tone.warning": "предупреждение", "tone.info": "сведения",
    "tone.ok": "в порядке", "tone.muted": "тихо", "tone.working": "выполняется",
    "mark.pending": "впереди", "mark.running": "идёт", "mark.done": "сделано", "mark.failed": "не вышло",
    "mark.skipped": "пропущено", more: "и ещё {n}", whole: "Полный текст", clipped: "Обрезано: карточка слишком велика.",
    steps: "шаги: {done} из {all}", changed: "изменено {time}",
    "login.title": "Вход в pult", "login.text": "По личному токену: он записан в конфигурации, в разделе [[people]].",
    "login.label": "Личный токен", "login.go": "Войти", "login.wrong": "Этот токен здесь ничей.",
    "login.many": "Слишком много неверных токенов. Подождите минуту.", "login.away": "pult не отвечает. Повторите.",
    "choose.title": "Кто вы?", "choose.text": "Репетиция без паролей. Чтобы одобрить вторым человеком, переключитесь в углу или откройте вторую вкладку.",
    "person.act": "Действовать как", "person.out": "Выйти", "person.menu": "Вы {name}", language: "Язык",
    "new.critical": "Новый критический: {title}", "roles.none": "только смотрит", "just": "только что",
    ago: "{t} назад", ahead: "через {t}", s: "с", min: "мин", h: "ч", d: "д", expand: "Показать карточку целиком", version: "pult {version}",
  },
};

export const LOCALES = Object.keys(TEXTS);
let locale = "en";
let plural = new Intl.PluralRules("en");

export function speak(wanted) {
  locale = LOCALES.includes(wanted) ? wanted : "en";
  plural = new Intl.PluralRules(locale);
  document.documentElement.lang = locale;
}

export const spoken = () => locale;

export function say(key, values = {}) {
  const text = TEXTS[locale][key] ?? TEXTS.en[key] ?? key;
  return String(text).replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

export function count(key, n) {
  const forms = TEXTS[locale][key];
  const at = { one: 0, few: 1, many: 2, other: forms.length > 2 ? 2 : 1 }[plural.select(n)];
  return forms[Math.min(at, forms.length - 1)];
}

// The server's clock minus ours: relative times are right on a machine whose clock is not.
let offset = 0;
export const setServerTime = (at) => { offset = Date.parse(at) - Date.now(); };
export const serverNow = () => Date.now() + offset;

export function relative(at) {
  const seconds = Math.round((serverNow() - Date.parse(at)) / 1000);
  const size = Math.abs(seconds);
  if (size < 5) return say("just");
  return say(seconds >= 0 ? "ago" : "ahead", { t: length(size) });
}

// How long something has been going on.
export const lasting = (at) => length(Math.max(0, Math.round((serverNow() - Date.parse(at)) / 1000)));

function length(size) {
  if (size < 60) return `${size} ${say("s")}`;
  if (size < 3600) return `${Math.floor(size / 60)} ${say("min")}`;
  return size < 86400 ? hours(size) : `${Math.floor(size / 86400)} ${say("d")}`;
}

function hours(size) {
  const h = Math.floor(size / 3600);
  const min = Math.floor((size % 3600) / 60);
  return h < 6 && min ? `${h} ${say("h")} ${min} ${say("min")}` : `${h} ${say("h")}`;
}

const language = () => (locale === "en" ? "en-GB" : locale);

// Times come with the reader's own zone in them (2026-03-04T15:00:00+03:00), so no zone has to be known here.
export const dayOf = (iso) => new Intl.DateTimeFormat(language(), { day: "numeric", month: "short", timeZone: "UTC" }).format(Date.parse(`${iso.slice(0, 10)}T00:00Z`));

export function clockOf(iso) {
  const there = new Date(serverNow() + zoneOf(iso)).toISOString().slice(0, 10);
  return there === iso.slice(0, 10) ? iso.slice(11, 16) : `${dayOf(iso)} ${iso.slice(11, 16)}`;
}

// Milliseconds from UTC to the zone that an ISO time is written in.
export function zoneOf(iso) {
  const found = /([+-])(\d\d):(\d\d)$/.exec(iso);
  return found ? (found[1] === "-" ? -1 : 1) * (found[2] * 3600e3 + found[3] * 60e3) : 0;
}

export const number = (value, digits) => value.toLocaleString(language(), { minimumFractionDigits: digits, maximumFractionDigits: digits });

export const clockTime = (moment) => new Date(moment).toLocaleTimeString(language());
