/** How many messages of each chat this browser has shown. */
import { channelOf } from "/page/store.js";

const seen = JSON.parse(localStorage.getItem("seen") ?? "{}");

function remembered(phone, total) {
  const counts = seen[phone] ?? { cloud: 0, waha: 0 };
  // Fewer than were seen: the simulator was reset meanwhile.
  return counts.cloud + counts.waha > total ? { cloud: 0, waha: 0 } : counts;
}

const fromOthers = (messages, channel) => messages.filter((message) => channelOf(message) === channel);

export function markSeen(phone, channel, messages) {
  if (!phone) return;
  const counts = remembered(phone, messages.length);
  seen[phone] = { ...counts, [channel]: fromOthers(messages, channel).length };
  localStorage.setItem("seen", JSON.stringify(seen));
}

export function unread(someone) {
  const { cloud, waha } = remembered(someone.phone, someone.count);
  return someone.last?.from === "user" ? 0 : someone.count - cloud - waha;
}

/** In the other chat of the person that is open. */
export function unreadIn(phone, channel, messages) {
  const here = fromOthers(messages, channel);
  const fresh = here.slice(remembered(phone, messages.length)[channel]);
  return fresh.filter((message) => message.from === "bot").length;
}
