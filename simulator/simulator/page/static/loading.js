import * as api from "/page/api.js";
import { markSeen } from "/page/people/seen.js";
import { person, put, state } from "/page/store.js";

const SHOWN_AT_FIRST = 100;
const FEW = 5;
let limit = SHOWN_AT_FIRST;

async function loadAll() {
  const isSearching = Boolean(state.search);
  const list = await api.listPeople(isSearching ? null : limit);
  const people = new Map(list.map((someone) => [someone.phone, someone]));
  if (state.selected && !people.has(state.selected)) await loadOne(people, state.selected);
  put({ people, isWhole: isSearching || list.length < limit });
}

async function loadOne(people, phone) {
  try {
    people.set(phone, await api.readPerson(phone));
  } catch (error) {
    if (error.status !== 404) throw error;
    people.delete(phone);
  }
}

/** A few people who changed are asked for one by one, a crowd together. */
export async function loadPeople(phones = null) {
  if (!phones || phones.length > FEW) return loadAll();
  const people = new Map(state.people);
  await Promise.all(phones.map((phone) => loadOne(people, phone)));
  put({ people });
  return undefined;
}

export function showMorePeople() {
  limit += 4 * SHOWN_AT_FIRST;
  return loadAll();
}

async function loadChat() {
  const phone = state.selected;
  const messages = phone ? await api.readChat(phone) : [];
  if (phone !== state.selected) return;
  markSeen(phone, state.channel, messages);
  put({ messages });
}

export async function loadClock() {
  put({ clock: new Date((await api.readClock()).now) - Date.now() });
}

export const loadFaults = async () => put({ faults: await api.listFaults() });

export async function loadWaha() {
  if (api.offers("/control/waha")) put({ waha: await api.readWaha() });
}

export async function open(phone, channel = null) {
  put({ selected: phone, messages: [], draft: null });
  if (phone && !state.people.has(phone)) await loadPeople([phone]);
  put({ channel: channel ?? person()?.channel ?? "cloud" });
  await loadChat();
}

export function changeChannel(channel) {
  markSeen(state.selected, channel, state.messages);
  put({ channel, draft: null, messages: state.messages });
}

/** What to ask for again when these topics changed. */
export async function refresh(topics) {
  const touched = topics.filter((topic) => topic.startsWith("phone:")).map((topic) => topic.slice(6));
  const isEverybody = touched.includes("");
  if (topics.includes("clock")) await loadClock();
  if (touched.length) await loadPeople(isEverybody ? null : touched);
  if (isEverybody || touched.includes(state.selected)) await loadChat();
  if (topics.includes("faults")) await loadFaults();
  if (topics.includes("waha")) await loadWaha();
}
