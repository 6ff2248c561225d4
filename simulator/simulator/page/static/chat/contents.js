/** What a bubble holds besides its text: files, places, quotes, buttons, ticks. */
import * as api from "/page/api.js";
import { button, element } from "/page/dom.js";
import { inline } from "/page/formatting.js";
import { icon } from "/page/icons.js";
import { openSheet } from "/page/chat/sheet.js";
import { kindOf, summary } from "/page/people/faces.js";
import { timeOf } from "/page/time.js";

const STATUS = {
  accepted: "accepted, not sent yet", sent: "sent", delivered: "delivered", read: "read", played: "played", failed: "failed",
};
const DRAWN = { read: "delivered", played: "delivered" };

export function meta(message) {
  const ticks = message.status === "failed" ? null : icon(DRAWN[message.status] ?? message.status, STATUS[message.status]);
  return element("div", { className: `meta ${message.status}`, title: STATUS[message.status] },
    message.is_edited && element("span", {}, "edited"),
    element("time", { datetime: message.at }, timeOf(message.at)), ticks);
}

export function failure(message) {
  if (message.status !== "failed") return null;
  return element("p", { className: "failure" }, element("b", {}, String(message.error?.code ?? "failed")), ` ${message.error?.title ?? ""}`);
}

const addressOf = (media) => (media?.id && api.offers("/control/media/") ? `/control/media/${encodeURIComponent(media.id)}` : null);

function placeholder(message, note = null) {
  const media = message.media ?? {};
  return element("div", { className: "file" }, icon(message.media?.voice ? "mic" : message.type),
    element("span", {}, element("b", {}, media.filename ?? kindOf(message) ?? message.type),
      element("small", {}, note ?? media.mime_type ?? (media.link ? "by link" : ""))));
}

function picture(message, address) {
  const gone = (event) => event.target.replaceWith(placeholder(message, "the file is gone"));
  return element("img", { src: address, alt: message.text || kindOf(message), loading: "lazy", onerror: gone, className: message.type });
}

function player(message, address) {
  const gone = (event) => event.target.replaceWith(placeholder(message, "the file is gone"));
  return element("audio", { controls: true, preload: "none", src: address, onerror: gone, "aria-label": kindOf(message) });
}

const showFile = {
  image: picture,
  sticker: picture,
  audio: player,
  document: (message, address) => element("a", { href: address, download: message.media.filename ?? "document" }, placeholder(message)),
};

export function media(message) {
  if (!kindOf(message) || message.type === "poll") return null;
  const address = addressOf(message.media);
  const node = address && showFile[message.type] ? showFile[message.type](message, address) : placeholder(message, placeOf(message));
  return element("div", { className: "media" }, node);
}

const placeOf = (message) => (message.type === "location" || message.type === "contacts" ? message.text : null);

/** The text of these is shown as part of the file. */
export const isTextShown = (message) => message.text && !placeOf(message);

export function quote(message, all) {
  if (!message.quote) return null;
  const quoted = all.find((other) => other.id === message.quote);
  const author = quoted?.from === "bot" ? "Sabatina" : "You";
  const words = quoted ? summary(quoted) : "a message that is gone";
  return button(element("span", {}, quoted && element("b", {}, author), ...inline(words)), () => show(message.quote), { className: "quote" });
}

function show(id) {
  const node = document.getElementById(id);
  node?.scrollIntoView({ block: "center" });
  node?.classList.add("shown");
  setTimeout(() => node?.classList.remove("shown"), 1500);
}

export function options(message, choose) {
  if (!message.options?.length) return null;
  if (message.channel === "waha" && message.type !== "poll") return null;
  const menu = () => [button(element("span", {}, icon("list"), message.menu), () => openSheet(message, choose), { "aria-haspopup": "dialog" })];
  const buttons = () => message.options.map((option) => button(option.title, () => choose(option)));
  return element("div", { className: "options" }, ...(message.interactive === "list" ? menu() : buttons()));
}
