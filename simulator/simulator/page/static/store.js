/** Everything the page knows. Parts are replaced whole; who draws one is told once a turn. */
export const state = {
  people: new Map(),
  isWhole: true,
  search: "",
  selected: null,
  channel: "cloud",
  messages: [],
  shown: 0,
  draft: null,
  faults: [],
  waha: null,
  clock: 0,
};

export const CHANNELS = { cloud: "Cloud API", waha: "WAHA" };

const watchers = [];
let changed = new Set();

export function put(changes) {
  Object.assign(state, changes);
  if (!changed.size) queueMicrotask(tell);
  Object.keys(changes).forEach((name) => changed.add(name));
}

export function watch(names, draw) {
  watchers.push({ names, draw });
}

function tell() {
  const due = changed;
  changed = new Set();
  for (const { names, draw } of watchers) {
    if (names.some((name) => due.has(name))) draw();
  }
}

export const person = () => state.people.get(state.selected);
export const channelOf = (message) => message.channel ?? "cloud";
export const chat = () => state.messages.filter((message) => channelOf(message) === state.channel);
export const isWindowOpen = (someone, now) => Boolean(someone.window_closes_at) && new Date(someone.window_closes_at) > now;
