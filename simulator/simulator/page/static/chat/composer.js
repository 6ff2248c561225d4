import { byId } from "/page/dom.js";
import { endDraft, say } from "/page/chat/saying.js";
import { summary } from "/page/people/faces.js";
import { state, watch } from "/page/store.js";

/** What was typed and not sent, by chat. */
const kept = new Map();
let chatShown = null;

const form = () => byId("composer");
const box = () => form().elements.text;

function said(text) {
  const { kind, message } = state.draft ?? {};
  if (kind === "edit") return { type: "edit", message_id: message.id, text };
  return kind === "reply" ? { text, quote: message.id } : { text };
}

async function send(event) {
  event.preventDefault();
  const text = box().value.trim();
  if (!text) return;
  box().value = "";
  if (await say(said(text))) endDraft();
  else box().value ||= text;
  box().focus();
}

/** The words that were typed, as somebody says them. */
async function speak() {
  const text = box().value.trim();
  const quote = state.draft?.kind === "reply" ? { quote: state.draft.message.id } : {};
  box().value = "";
  if (await say({ type: "audio", voice: true, text, ...quote })) endDraft();
  else box().value ||= text;
}

function drawDraft() {
  const { kind, message } = state.draft ?? {};
  byId("draft").hidden = !kind;
  byId("draft-kind").textContent = kind === "edit" ? "Editing" : "Replying to";
  byId("draft-text").textContent = message ? summary(message) : "";
}

function drawChat() {
  const chat = `${state.selected}/${state.channel}`;
  if (chat === chatShown) return;
  kept.set(chatShown, box().value);
  box().value = kept.get(chat) ?? "";
  chatShown = chat;
}

function cancel() {
  if (state.draft?.kind === "edit") box().value = "";
  endDraft();
  box().focus();
}

export const typed = () => box().value.trim();
export { speak };

export function start() {
  form().addEventListener("submit", send);
  box().addEventListener("keydown", (event) => {
    if (event.key === "Escape" && state.draft) cancel();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form().requestSubmit();
  });
  byId("draft-end").addEventListener("click", cancel);
  watch(["draft"], drawDraft);
  watch(["selected", "channel"], drawChat);
}
