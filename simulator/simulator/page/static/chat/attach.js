import { button, byId, element, openNear } from "/page/dom.js";
import { icon } from "/page/icons.js";
import { speak, typed } from "/page/chat/composer.js";
import { endDraft, say } from "/page/chat/saying.js";
import { state } from "/page/store.js";

const field = (label, name, attributes = {}) => ({ label, name, ...attributes });
const CAPTION = field("Caption", "caption", { maxlength: 1024 });
const PLACE = [
  field("Latitude", "latitude", { type: "number", step: "any", value: -23.5505 }),
  field("Longitude", "longitude", { type: "number", step: "any", value: -46.6333 }),
];
const FILE = (accept) => field("File (without one, a small sample is sent)", "file", { type: "file", accept });

/** What can be sent besides text. Without fields it goes at once. */
const KINDS = [
  { type: "image", label: "Photo", fields: [FILE("image/jpeg,image/png"), CAPTION] },
  { type: "audio", label: "Voice note", icon: "mic", fields: [field("What is said", "text", { required: true })] },
  { type: "sticker", label: "Sticker" },
  { type: "document", label: "Document", fields: [FILE(""), CAPTION] },
  { type: "video", label: "Video", fields: [FILE("video/mp4"), CAPTION] },
  { type: "location", label: "Location", fields: PLACE },
  { type: "contacts", label: "Contact", fields: [field("Name", "text", { value: "Bruno Lima", required: true })], isCloudOnly: true },
  { type: "order", label: "Order", fields: [field("Note", "text")], isCloudOnly: true },
  { type: "unsupported", label: "Unsupported" },
];

function choose(kind) {
  byId("attach-menu").hidePopover();
  if (kind.type === "audio" && typed()) speak();
  else if (kind.fields) openForm(kind);
  else say({ type: kind.type });
}

function openForm(kind) {
  const sheet = byId("attach-sheet");
  byId("attach-title").textContent = `Send: ${kind.label}`;
  byId("attach-fields").replaceChildren(...kind.fields.map(({ label, ...attributes }) =>
    element("label", {}, label, element("input", attributes))));
  byId("attach-form").onsubmit = (event) => {
    event.preventDefault();
    send(kind, event.target).then((isSent) => isSent && sheet.close());
  };
  sheet.showModal();
  byId("attach-fields").querySelector("input")?.focus();
}

async function send(kind, form) {
  const said = { type: kind.type };
  for (const { name, type, value } of form.querySelectorAll("input:not([type=file])")) {
    if (value) said[name] = type === "number" ? Number(value) : value;
  }
  const file = form.elements.file?.files[0];
  if (file) Object.assign(said, { data: await base64(file), mime_type: file.type || "application/octet-stream", filename: file.name });
  if (state.draft?.kind === "reply") said.quote = state.draft.message.id;
  const isSent = await say(said);
  if (isSent) endDraft();
  return isSent;
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(",")[1] ?? "");
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

export function start() {
  const menu = byId("attach-menu");
  byId("attach").addEventListener("click", (event) => {
    const offered = KINDS.filter((kind) => state.channel === "cloud" || !kind.isCloudOnly);
    menu.replaceChildren(...offered.map((kind) =>
      button(element("span", {}, icon(kind.icon ?? kind.type), kind.label), () => choose(kind))));
    openNear(menu, event.currentTarget);
  });
  byId("speak").addEventListener("click", () => {
    if (typed()) speak();
    else choose(KINDS.find(({ type }) => type === "audio"));
  });
  byId("attach-close").addEventListener("click", () => byId("attach-sheet").close());
}
