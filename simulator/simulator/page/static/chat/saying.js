import * as api from "/page/api.js";
import { attempt, byId } from "/page/dom.js";
import { put, state } from "/page/store.js";

/** The person does something in the chat that is open. */
export const say = (said) => attempt(async () => {
  await api.say(state.selected, { channel: state.channel, ...said });
  return true;
});

/** What the composer is about besides new text: an answer to a message, or the edit of one. */
export function startDraft(kind, message) {
  put({ draft: { kind, message } });
  const box = byId("composer").elements.text;
  if (kind === "edit") box.value = message.text;
  box.focus();
}

export const endDraft = () => put({ draft: null });
