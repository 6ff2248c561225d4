import { element } from "/page/dom.js";

const TINTS = ["#0b7a5b", "#7a4bb0", "#b0562b", "#1f6fb0", "#a8326e", "#5c7a1f"];

export function avatar(someone) {
  const letters = someone.name.split(/\s+/).slice(0, 2).map((word) => [...word][0] ?? "").join("").toUpperCase();
  const node = element("span", { className: "avatar", "aria-hidden": "true" }, letters);
  node.style.setProperty("--tint", TINTS[Number(someone.phone.slice(-4)) % TINTS.length]);
  return node;
}

const KINDS = {
  image: "Photo", video: "Video", document: "Document", audio: "Audio", sticker: "Sticker", location: "Location",
  contacts: "Contact", order: "Order", poll: "Poll", unsupported: "Unsupported message",
};
const DEEDS = {
  reaction: (text) => (text ? `Reacted ${text}` : "Took a reaction back"),
  edit: (text) => `Edited: ${text}`,
  revoke: () => "Deleted a message",
  vote: (text) => `Voted: ${text}`,
};

export const kindOf = (message) => (message.media?.voice ? "Voice note" : KINDS[message.type]);

/** One line about a message. */
export function summary(message) {
  if (message.is_revoked) return "Deleted message";
  const deed = DEEDS[message.type];
  if (deed) return deed(message.text);
  const text = message.text.replace(/\s+/g, " ").trim();
  const kind = kindOf(message);
  if (kind) return text && message.type !== "location" ? `${kind}: ${text}` : kind;
  return text || `[${message.template ?? message.type}]`;
}

export const written = (phone) => phone.replace(/^(55)(\d\d)(\d{4,5})(\d{4})$/, "+$1 $2 $3-$4").replace(/^(?=\d)/, "+");
