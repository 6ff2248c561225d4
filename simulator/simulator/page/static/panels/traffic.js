/** What a recorded call or webhook is about; plain functions, for the inspector. */

export function channelOf({ path }) {
  if (path.startsWith("/waha/") || path.endsWith("/webhook/waha")) return "waha";
  return path.startsWith("/openai/") ? "llm" : "cloud";
}

const changes = (body) => (body?.entry ?? []).flatMap((part) => part.changes ?? []);

function cloudWebhook(body) {
  return changes(body).flatMap(({ field, value }) => {
    if (field !== "messages") return [`${field} ${value?.event ?? ""}`.trim()];
    const messages = (value.messages ?? []).map((message) => `message ${message.type}`);
    const statuses = (value.statuses ?? []).map((status) => `status ${status.status}${status.errors ? ` ${status.errors[0].code}` : ""}`);
    return [...messages, ...statuses];
  });
}

function wahaWebhook(body) {
  const detail = body?.payload?.ackName ?? body?.payload?.status ?? "";
  return [`${body?.event ?? "event"} ${detail}`.trim()];
}

function call({ method, path, body }) {
  const what = body?.status ?? body?.type ?? body?.model ?? body?.name ?? "";
  const place = path.replace(/^\/waha\/api\//, "").replace(/^\/v[\d.]+\/\d+\//, "").replace(/^\/openai\/v1\//, "");
  return [`${method} ${place} ${typeof what === "string" ? what : ""}`.trim()];
}

export function describe(entry, direction) {
  if (direction === "calls") return call(entry).join("");
  const told = channelOf(entry) === "waha" ? wahaWebhook(entry.body) : cloudWebhook(entry.body);
  return told.join(", ") || "webhook";
}

const isAck = (entry) => /^(status|message\.ack)/.test(describe(entry, "webhooks"));
const isMessage = (entry) => /^message(?!\.ack)/.test(describe(entry, "webhooks"));
const isSend = ({ method, path, body }) => method === "POST" && (/\/messages$/.test(path) ? body?.status !== "read" : /\/send(?!Seen)/.test(path));
const isPresence = ({ path, body }) => body?.status === "read" || /sendSeen|Typing|\/read$/.test(path);

/** The kinds that one can ask for, by direction. */
export const KINDS = {
  webhooks: { messages: isMessage, statuses: isAck, "everything else": (entry) => !isAck(entry) && !isMessage(entry) },
  calls: { sends: isSend, "read and typing": isPresence, "everything else": (entry) => !isSend(entry) && !isPresence(entry) },
};

/** Whoever is meant: by number, WhatsApp id, business-scoped id or LID. */
export function namesOf(someone) {
  const lid = someone.waha?.lid_number;
  return [someone.phone, someone.wa_id, someone.user_id, lid].filter(Boolean);
}

export function mentions(entry, words) {
  const text = JSON.stringify(entry.body ?? "") + decodeURIComponent(entry.path);
  return words.some((word) => text.includes(word));
}

export const isBad = ({ status }) => status === null || status >= 300;
