import * as api from "/page/api.js";
import { bubble, day, typing } from "/page/bubbles.js";
import { now } from "/page/clock.js";
import { byId, element, toast } from "/page/dom.js";
import * as people from "/page/people.js";

const HOURS_24 = 24 * 3600 * 1000;
const OTHERS = { image: "🖼 Photo", audio: "🎤 Voice note", sticker: "🙂 Sticker", location: "📍 Location", reaction: "👍 Reaction", unsupported: "❔ Unsupported (poll)" };
let selected = null;
let messages = [];
let quoted = null;
let isTyping = false;

export const current = () => selected;

async function say(said) {
  try {
    await api.say(selected, said);
    setQuote(null);
  } catch (error) {
    toast(error.message);
  }
}

const actions = {
  reply: (message, option) => say({ reply: option.id, quote: message.id }),
  quote: (message) => { setQuote(message); byId("composer").elements.text.focus(); },
};

function setQuote(message) {
  quoted = message;
  byId("quoting").hidden = !message;
  byId("quoting").querySelector("span").textContent = message ? `Replying to: ${people.summary(message)}` : "";
}

export async function open(phone) {
  if (phone !== selected) setQuote(null);
  selected = phone;
  messages = [];
  byId("messages").replaceChildren();
  byId("layout").classList.toggle("chatting", Boolean(phone));
  byId("conversation").hidden = !phone;
  byId("nobody").hidden = Boolean(phone);
  await reload();
}

export async function reload() {
  if (!selected) return;
  const asked = selected;
  const fresh = await api.readTranscript(asked);
  if (asked !== selected) return;
  showMessages(fresh);
  showPerson();
}

function showMessages(fresh) {
  const box = byId("messages");
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 80 || fresh.length !== messages.length;
  const changedFrom = fresh.findIndex((message, index) => JSON.stringify(message) !== JSON.stringify(messages[index]));
  if (fresh.length < messages.length) box.replaceChildren();
  messages = fresh;
  if (changedFrom >= 0) fresh.slice(changedFrom).forEach((message, index) => place(message, changedFrom + index));
  if (atEnd) box.scrollTop = box.scrollHeight;
}

/** Only what changed is replaced, so that a screen reader hears new messages only. */
function place(message, index) {
  const box = byId("messages");
  const previous = messages[index - 1];
  const node = bubble(message, previous, messages, actions);
  const old = document.getElementById(message.id);
  if (old) {
    old.replaceWith(node);
    return;
  }
  box.querySelector(".typing")?.remove();
  box.append(...[day(message, previous), node].filter(Boolean));
}

export function showPerson() {
  const person = people.find(selected);
  if (!person) return;
  byId("chat-name").textContent = person.name;
  byId("chat-number").textContent = person.wa_id === person.phone ? `+${person.phone}` : `+${person.phone} · WhatsApp id ${person.wa_id}`;
  byId("chat-avatar").textContent = people.initials(person.name);
  byId("chat-avatar").style.setProperty("--tint", people.tint(person.phone));
  byId("receipts").checked = person.receipts;
  byId("eight-digits").checked = person.wa_id_form === "without_ninth_digit";
  tick();
}

/** What depends on the time: the 24-hour window and the typing indicator. */
export function tick() {
  const person = people.find(selected);
  if (!person) return;
  const left = person.window_closes_at ? new Date(person.window_closes_at) - now() : 0;
  byId("window").classList.toggle("closed", left <= 0);
  byId("window-text").textContent = left > 0 ? `24-hour window: ${duration(left)} left` : "Window closed: only templates arrive (131047)";
  byId("window-left").style.width = `${Math.max(0, Math.min(100, (100 * left) / HOURS_24))}%`;
  showTyping(person.typing_until && new Date(person.typing_until) > now());
}

function showTyping(shows) {
  const box = byId("messages");
  if (shows === isTyping && Boolean(box.querySelector(".typing")) === Boolean(shows)) return;
  isTyping = shows;
  box.querySelector(".typing")?.remove();
  if (shows) box.append(typing());
  if (shows) box.scrollTop = box.scrollHeight;
}

function duration(milliseconds) {
  const minutes = Math.floor(milliseconds / 60000);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

async function change(settings) {
  await api.changePhone(selected, settings).catch((error) => toast(error.message));
}

function startComposer() {
  const form = byId("composer");
  const box = form.elements.text;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = box.value.trim();
    if (!text) return;
    say(quoted ? { text, quote: quoted.id } : { text });
    box.value = "";
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
}

function startMenus() {
  byId("attach-menu").append(...Object.entries(OTHERS).map(([type, label]) =>
    element("button", { type: "button", onclick: () => { byId("composer").querySelector("details").open = false; say({ type }); } }, label)));
  byId("receipts").addEventListener("change", (event) => change({ receipts: event.target.checked }));
  byId("eight-digits").addEventListener("change", (event) =>
    change({ wa_id_form: event.target.checked ? "without_ninth_digit" : "canonical" }));
  byId("quoting").querySelector("button").addEventListener("click", () => setQuote(null));
  document.addEventListener("click", (event) => closeMenus(event.target));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeMenus(null); });
}

function closeMenus(clicked) {
  for (const menu of document.querySelectorAll(".attach[open], .phone-menu[open]")) {
    if (!menu.contains(clicked)) menu.open = false;
  }
}

export function start(onBack) {
  startComposer();
  startMenus();
  byId("back").addEventListener("click", onBack);
}
