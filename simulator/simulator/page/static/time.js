import { person, state } from "/page/store.js";

export const ZONES = ["America/Sao_Paulo", "America/New_York", "America/Mexico_City", "America/Bogota", "Europe/Lisbon", "Europe/Madrid", "UTC"];
const ZONE_OF = {
  55: "America/Sao_Paulo", 52: "America/Mexico_City", 57: "America/Bogota",
  351: "Europe/Lisbon", 34: "Europe/Madrid", 1: "America/New_York",
};

/** The simulator's time: `state.clock` is how far it is ahead of this browser's. */
export const now = () => new Date(Date.now() + state.clock);

/** The zone that was chosen, or else the one that the chosen person's number points to. */
export function zone() {
  const chosen = localStorage.getItem("zone");
  if (ZONES.includes(chosen)) return chosen;
  const number = person()?.phone ?? "55";
  const code = Object.keys(ZONE_OF).sort((a, b) => b.length - a.length).find((prefix) => number.startsWith(prefix));
  return ZONE_OF[code] ?? "America/Sao_Paulo";
}

const formats = new Map();

function format(options) {
  const key = zone() + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: zone(), ...options }));
  return formats.get(key);
}

const DAY = { weekday: "short", day: "numeric", month: "short" };
const EVERY_PART = {
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
};
const MINUTE = { hour: "2-digit", minute: "2-digit" };

export const timeOf = (at) => format(MINUTE).format(new Date(at));
export const secondOf = (at) => format({ ...MINUTE, second: "2-digit" }).format(new Date(at));
export const dayOf = (at) => format({ ...DAY, year: "numeric" }).format(new Date(at));
export const momentOf = (at) => format({ ...DAY, ...MINUTE }).format(new Date(at));

/** As WhatsApp lists chats: the time today, the day before that. */
export const shortOf = (at) => (dayOf(at) === dayOf(now()) ? timeOf(at) : format({ day: "numeric", month: "short" }).format(new Date(at)));

/** "2026-11-22T09:00" as a clock in the zone shows it, to the instant. */
export function instantOf(local) {
  const guess = new Date(`${local}:00Z`);
  const once = new Date(guess - offsetAt(guess));
  return new Date(guess - offsetAt(once));
}

export const localOf = (at) => new Date(at.getTime() + offsetAt(at)).toISOString().slice(0, 16);

function offsetAt(at) {
  const parts = format(EVERY_PART).formatToParts(at);
  const { year, month, day, hour, minute, second } = Object.fromEntries(parts.map(({ type, value }) => [type, value]));
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
}

/** "2 d 3 h", "3 h 20 min", "5 min". */
export function lengthOf(milliseconds) {
  const minutes = Math.floor(Math.abs(milliseconds) / 60000);
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  if (days) return hours ? `${days} d ${hours} h` : `${days} d`;
  if (hours) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${minutes} min`;
}
