import { byId, element, reconcile } from "/page/dom.js";
import { icon } from "/page/icons.js";
import { inline } from "/page/formatting.js";
import { loadPeople, showMorePeople } from "/page/loading.js";
import { avatar, summary, written } from "/page/people/faces.js";
import { unread } from "/page/people/seen.js";
import { isWindowOpen, put, state, watch } from "/page/store.js";
import { lengthOf, now, shortOf } from "/page/time.js";

const isTyping = (someone) => Boolean(someone.typing_until) && new Date(someone.typing_until) > now();

/** Coarse on purpose: a row is drawn anew when this changes. */
function windowBadge(someone) {
  if (!isWindowOpen(someone, now())) return { isOpen: false, text: "closed" };
  const left = new Date(someone.window_closes_at) - now();
  return { isOpen: true, text: left > 3600000 ? `closes in ${Math.floor(left / 3600000)} h` : `closes in ${lengthOf(left)}` };
}

function lastLine(someone) {
  if (isTyping(someone)) return element("span", { className: "last typing-line" }, "typing…");
  if (!someone.last) return element("span", { className: "last" }, written(someone.phone));
  const isOwn = someone.last.from === "user";
  const { status } = someone.last;
  const ticks = isOwn && icon(status === "read" || status === "played" ? "delivered" : status);
  return element("span", { className: `last ${someone.last.status}` }, ticks, ...inline(summary(someone.last)));
}

function badges(someone) {
  const { isOpen, text } = windowBadge(someone);
  const title = isOpen ? "Cloud API: the 24-hour window is open" : "Cloud API: only templates arrive (131047)";
  return element("span", { className: "badges" },
    element("span", { className: `chip ${isOpen ? "open" : "shut"}`, title }, `window ${text}`),
    someone.channel === "waha" && element("span", { className: "chip" }, "WAHA"),
    someone.blocked && element("span", { className: "chip bad" }, "blocks us"),
    someone.registered === false && element("span", { className: "chip bad" }, "no WhatsApp"),
    someone.wants_marketing === false && element("span", { className: "chip" }, "no marketing"));
}

function row(someone, isSelected) {
  const fresh = isSelected ? 0 : unread(someone);
  const choose = () => { location.hash = `#${someone.phone}`; };
  return element("li", {}, element("button", { type: "button", "aria-current": String(isSelected), onclick: choose },
    avatar(someone),
    element("span", { className: "name" }, someone.name),
    element("span", { className: "at" }, someone.last ? shortOf(someone.last.at) : ""),
    lastLine(someone),
    fresh > 0 ? element("span", { className: "unread", "aria-label": `${fresh} unread` }, String(fresh)) : element("span"),
    badges(someone)));
}

function isFound(someone) {
  const words = state.search.toLowerCase();
  const digits = words.replace(/\D/g, "");
  return !words || someone.name.toLowerCase().includes(words) || (digits.length > 2 && someone.phone.includes(digits))
    || (someone.username ?? "").includes(words);
}

const activity = (someone) => (someone.last ? Date.parse(someone.last.at) : Infinity);

/** Everything that a row shows. */
function printOf(someone, isSelected) {
  const moments = [windowBadge(someone).text, isTyping(someone), someone.last && shortOf(someone.last.at)];
  return JSON.stringify([someone, isSelected, isSelected || unread(someone), moments]);
}

function draw() {
  const found = [...state.people.values()].filter(isFound).sort((a, b) => activity(b) - activity(a));
  reconcile(byId("people"), found.map((someone) => {
    const isSelected = someone.phone === state.selected;
    return { key: someone.phone, print: printOf(someone, isSelected), make: () => row(someone, isSelected) };
  }));
  byId("more-people").hidden = state.isWhole;
  byId("no-people").hidden = found.length > 0;
  byId("no-people").textContent = state.search ? "Nobody is called so." : "Nobody has a phone yet. Add one above.";
}

/** Up and down move between chats. */
function move(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const rows = [...byId("people").querySelectorAll("button")];
  rows[rows.indexOf(document.activeElement) + step]?.focus();
  event.preventDefault();
}

export function start() {
  byId("search").addEventListener("input", (event) => {
    const hadSearch = Boolean(state.search);
    put({ search: event.target.value.trim() });
    if (Boolean(state.search) !== hadSearch) loadPeople();
  });
  byId("more-people").addEventListener("click", showMorePeople);
  byId("people").addEventListener("keydown", move);
  watch(["people", "selected", "search", "clock", "messages"], draw);
  setInterval(draw, 15000);
}
