import { button, byId, copy, element, openNear } from "/page/dom.js";
import { say, startDraft } from "/page/chat/saying.js";
import { inspect } from "/page/panels/host.js";

const EMOJI = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

function does(menu, work) {
  return () => {
    menu.hidePopover();
    work();
  };
}

/** WhatsApp lets people change their own texts, and delete what they wrote. */
function deeds(message) {
  const isOwn = message.from === "user";
  const react = (emoji) => say({ type: "reaction", message_id: message.id, emoji });
  return [
    ["Reply", () => startDraft("reply", message)],
    isOwn && message.type === "text" && ["Edit", () => startDraft("edit", message)],
    isOwn && !message.is_revoked && ["Delete for everyone", () => say({ type: "revoke", message_id: message.id })],
    ["Take the reaction back", () => react("")],
    message.text && ["Copy the text", () => copy(message.text, "The text")],
    ["Copy the id", () => copy(message.id, "The id")],
    ["Find in the inspector", () => inspect(message.id)],
  ].filter(Boolean);
}

export function openMenu(message, anchor) {
  const menu = byId("message-menu");
  const react = (emoji) => does(menu, () => say({ type: "reaction", message_id: message.id, emoji }));
  menu.replaceChildren(
    element("div", { className: "emoji" }, ...EMOJI.map((emoji) => button(emoji, react(emoji), { "aria-label": `React with ${emoji}` }))),
    ...deeds(message).map(([label, work]) => button(label, does(menu, work))));
  openNear(menu, anchor);
}
