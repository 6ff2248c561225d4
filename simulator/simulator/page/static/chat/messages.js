import { announce, button, byId, element, reconcile } from "/page/dom.js";
import { bubble, isUnfolded, note } from "/page/chat/bubble.js";
import { summary } from "/page/people/faces.js";
import { chat, person, state, watch } from "/page/store.js";
import { dayOf, now, zone } from "/page/time.js";

const PAGE = 120;
const NEAR_END = 80;
const ABOUT_ANOTHER = new Set(["reaction", "edit", "revoke"]);
let shown = PAGE;
let drawn = { chat: null, count: 0 };
let missed = 0;

const box = () => byId("messages");
const isAtEnd = () => box().scrollHeight - box().scrollTop - box().clientHeight < NEAR_END;
const chatKey = () => `${state.selected}/${state.channel}`;

/** The last reaction of each side to each message. */
function reactionsOf(messages) {
  const found = new Map();
  for (const message of messages.filter(({ type }) => type === "reaction")) {
    found.set(message.quote, { ...found.get(message.quote), [message.from]: message.text });
  }
  return found;
}

function wanted(messages, all) {
  const reactions = reactionsOf(all);
  const items = [];
  messages.forEach((message, index) => {
    const previous = messages[index - 1];
    const label = dayOf(message.at);
    if (!previous || dayOf(previous.at) !== label) {
      items.push({ key: `day ${label} ${index}`, print: label, make: () => element("p", { className: "day" }, label) });
    }
    const around = { previous, all, reactions: reactions.get(message.id) };
    const print = JSON.stringify([message, previous?.from, around.reactions, zone(), isUnfolded(message)]);
    items.push({ key: message.id, print, make: () => (message.type === "system" ? note(message) : bubble(message, around)) });
  });
  return items;
}

/** The simulator tells of one indicator a person; it belongs to the chat of the last message. */
function isTyping() {
  const someone = person();
  return Boolean(someone?.typing_until) && someone.channel === state.channel && new Date(someone.typing_until) > now();
}

const typing = () =>
  element("div", { className: "typing", role: "img", "aria-label": "Sabatina is typing" }, element("i"), element("i"), element("i"));
const earlier = (count) => button(`Show ${count} earlier messages`, showEarlier, { className: "earlier" });

function showEarlier() {
  const fromEnd = box().scrollHeight - box().scrollTop;
  shown += 2 * PAGE;
  draw();
  box().scrollTop = box().scrollHeight - fromEnd;
}

function draw() {
  const isOther = drawn.chat !== chatKey();
  if (isOther) shown = PAGE;
  const all = chat();
  const bubbles = all.filter((message) => !ABOUT_ANOTHER.has(message.type));
  const hidden = Math.max(0, bubbles.length - shown);
  const wasAtEnd = isOther || isAtEnd();
  const items = wanted(bubbles.slice(hidden), all);
  if (hidden) items.unshift({ key: "earlier", print: String(hidden), make: () => earlier(hidden) });
  if (isTyping()) items.push({ key: "typing", print: "", make: typing });
  reconcile(box(), items);
  byId("no-messages").hidden = bubbles.length > 0;
  settle(bubbles, { isOther, wasAtEnd });
}

/** Stays at the end when it was there, or when the person has just said something. */
function settle(bubbles, { isOther, wasAtEnd }) {
  const fresh = isOther ? [] : bubbles.slice(drawn.count);
  const isLoaded = drawn.count === 0;
  drawn = { chat: chatKey(), count: bubbles.length };
  const isOwn = fresh.some((message) => message.from === "user");
  if (wasAtEnd || isOwn || isLoaded) scrollToEnd();
  else missed += fresh.length;
  drawPill();
  const heard = isLoaded ? [] : fresh.filter((message) => message.from === "bot");
  if (heard.length) announce(heard.map((message) => `Sabatina: ${summary(message)}`).join(". "));
}

function scrollToEnd() {
  box().scrollTop = box().scrollHeight;
  missed = 0;
}

function drawPill() {
  if (isAtEnd()) missed = 0;
  byId("newest").hidden = isAtEnd();
  byId("newest-text").textContent = missed ? `${missed} new message${missed > 1 ? "s" : ""}` : "Newest";
}

export function start() {
  watch(["messages", "channel", "selected", "people", "clock"], draw);
  box().addEventListener("scroll", drawPill, { passive: true });
  byId("newest").addEventListener("click", () => { scrollToEnd(); drawPill(); });
  new ResizeObserver(() => { if (!missed && byId("newest").hidden) scrollToEnd(); }).observe(box());
  let wasTyping = false;
  setInterval(() => {
    if (isTyping() !== wasTyping) draw();
    wasTyping = isTyping();
  }, 1000);
}
