import { button, element } from "/page/dom.js";
import { formatted } from "/page/formatting.js";
import { icon } from "/page/icons.js";
import * as contents from "/page/chat/contents.js";
import { openMenu } from "/page/chat/menu.js";
import { say } from "/page/chat/saying.js";
import { put, state } from "/page/store.js";

const FOLDED_CHARACTERS = 900;
const FOLDED_LINES = 18;
const unfolded = new Set();

export const isUnfolded = (message) => unfolded.has(message.id);
const isLong = (text) => text.length > FOLDED_CHARACTERS || text.split("\n").length > FOLDED_LINES;

/** On WAHA there is nothing to tap, but a tap on an offered number or word types it. */
const pickerOf = (message) =>
  (message.channel === "waha" && message.from === "bot" && !message.is_revoked ? (text) => say({ text }) : null);

function text(message) {
  const node = formatted(message.text, pickerOf(message));
  if (!isLong(message.text) || isUnfolded(message)) return [node];
  node.classList.add("folded");
  const unfold = () => { unfolded.add(message.id); put({ messages: [...state.messages] }); };
  return [node, button("Read more", unfold, { className: "read-more" })];
}

function content(message, all) {
  if (message.is_revoked) {
    return [element("p", { className: "revoked" }, message.from === "user" ? "You deleted this message" : "This message was deleted"),
      message.text && element("details", { className: "kept" }, element("summary", {}, "what it said"), formatted(message.text)),
      contents.meta(message)];
  }
  return [
    message.template && element("span", { className: "chip template" }, `template · ${message.template}`),
    contents.quote(message, all),
    message.header && element("div", { className: "header" }, message.header),
    contents.media(message),
    message.type === "vote" && element("span", { className: "chip" }, "vote"),
    ...(contents.isTextShown(message) ? text(message) : []),
    message.footer && element("div", { className: "footer" }, message.footer),
    contents.meta(message),
    contents.failure(message)];
}

function reactionMarks(reactions) {
  const shown = Object.values(reactions).filter(Boolean);
  if (!shown.length) return null;
  return element("div", { className: "reactions", "aria-label": `Reactions: ${shown.join(" ")}`, role: "img" }, ...shown);
}

function menuButton(message) {
  const open = (event) => openMenu(message, event.currentTarget);
  return button(icon("down"), open, { className: "more", "aria-label": "What to do with this message", "aria-haspopup": "true" });
}

/** `reactions`: who reacted to this message, and with what. */
export function bubble(message, { previous, all, reactions = {} }) {
  const choose = (option) => say({ reply: option.id, quote: message.id });
  const turn = previous?.from === message.from ? "" : "turn";
  const who = message.from === "user" ? "You" : "Sabatina";
  return element("article", { id: message.id, className: `message ${message.from} ${message.type} ${message.status} ${turn}`, "aria-label": who },
    element("div", { className: "bubble" }, ...content(message, all).filter(Boolean), menuButton(message)),
    reactionMarks(reactions),
    message.is_revoked ? null : contents.options(message, choose));
}

export const note = (message) => element("p", { id: message.id, className: "note" }, message.text);
