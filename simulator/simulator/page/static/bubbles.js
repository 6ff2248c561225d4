import { dayOf, timeOf } from "/page/clock.js";
import { byId, element } from "/page/dom.js";
import { formatted, inline } from "/page/formatting.js";
import { summary } from "/page/people.js";

const TICKS = { accepted: "◷", sent: "✓", delivered: "✓✓", read: "✓✓" };
const ATTACHED = { image: "🖼 Photo", document: "📄 Document", audio: "🎤 Voice note", sticker: "🙂 Sticker", location: "📍 Location", unsupported: "Unsupported message" };

function ticks(message) {
  if (message.status === "failed") {
    return element("span", { className: "error", title: message.error?.title }, `⚠ ${message.error?.code ?? "failed"}`);
  }
  return element("span", { className: `ticks ${message.status}`, title: message.status, role: "img", "aria-label": message.status }, TICKS[message.status]);
}

function media(message) {
  if (!ATTACHED[message.type]) return null;
  const link = message.media?.link;
  const shown = message.type === "image" && link
    ? element("img", { src: link, alt: message.text || "Photo", loading: "lazy" })
    : `${ATTACHED[message.type]} ${message.media?.filename ?? ""}`;
  return element("div", { className: "media" }, shown);
}

function quote(message, messages) {
  if (!message.quote) return null;
  const quoted = messages.find((other) => other.id === message.quote);
  const show = () => document.getElementById(message.quote)?.scrollIntoView({ block: "center" });
  return element("button", { type: "button", className: "quote", onclick: show },
    element("span", {}, ...inline(quoted ? summary(quoted) : "a message that is gone")));
}

function content(message, messages) {
  return element("div", { className: "bubble" },
    message.template && element("span", { className: "chip" }, `template · ${message.template}`),
    quote(message, messages),
    message.header && element("div", { className: "header" }, message.header),
    media(message),
    message.text && formatted(message.text),
    message.footer && element("div", { className: "footer" }, message.footer),
    element("div", { className: "meta" }, element("time", { datetime: message.at }, timeOf(message.at)), ticks(message)));
}

function options(message, actions) {
  if (!message.options.length) return null;
  const choose = (option) => actions.reply(message, option);
  const buttons = message.interactive === "list"
    ? [element("button", { type: "button", onclick: () => openSheet(message, choose) }, `☰ ${message.menu}`)]
    : message.options.map((option) => element("button", { type: "button", onclick: () => choose(option) }, option.title));
  return element("div", { className: "options" }, ...buttons);
}

export function bubble(message, previous, messages, actions) {
  const turn = previous?.from === message.from ? "" : "turn";
  return element("article", { id: message.id, className: `message ${message.from} ${message.type} ${message.status} ${turn}` },
    content(message, messages),
    options(message, actions),
    element("button", { type: "button", className: "quote-it", "aria-label": "Reply to this message", onclick: () => actions.quote(message) }, "↩"));
}

export function day(message, previous) {
  const label = dayOf(message.at);
  return previous && dayOf(previous.at) === label ? null : element("div", { className: "day" }, label);
}

export const typing = () => element("div", { className: "typing", role: "img", "aria-label": "typing" }, element("i"), element("i"), element("i"));

function openSheet(message, choose) {
  const sheet = byId("list-sheet");
  byId("list-title").textContent = message.menu;
  byId("list-rows").replaceChildren(...message.options.flatMap((option, index) => [
    option.section && option.section !== message.options[index - 1]?.section ? element("h3", {}, option.section) : "",
    element("button", { type: "button", onclick: () => { sheet.close(); choose(option); } }, option.title,
      option.description && element("small", {}, option.description)),
  ]));
  sheet.showModal();
}
