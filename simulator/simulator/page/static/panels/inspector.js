import * as api from "/page/api.js";
import { attempt, button, copy, element, reconcile, toast } from "/page/dom.js";
import { curl } from "/page/panels/curl.js";
import { choice, field, option } from "/page/panels/forms.js";
import { channelOf, describe, isBad, KINDS, mentions, namesOf } from "/page/panels/traffic.js";
import { person } from "/page/store.js";
import { secondOf } from "/page/time.js";

const READ = 300;
const SHOWN = 80;
const CHANNELS = [["", "all channels"], ["cloud", "Cloud API"], ["waha", "WAHA"], ["llm", "the model"]];
const READERS = { webhooks: api.lastWebhooks, calls: api.lastCalls };

async function replay(entry) {
  const answer = await api.replay(entry.n);
  toast(answer.status === null ? "Posted again; nobody answered" : `Posted again: HTTP ${answer.status}`);
}

function actions(entry, direction) {
  const canReplay = direction === "webhooks" && channelOf(entry) === "cloud";
  return element("div", { className: "row" },
    canReplay && button("Replay", () => attempt(() => replay(entry))),
    button("Copy as curl", () => copy(curl(entry, direction), "The command")),
    button("Copy JSON", () => copy(JSON.stringify(entry.body, null, 2), "The JSON")));
}

function details(entry, direction) {
  const about = `${entry.method} ${entry.path}${entry.attempt ? ` · attempt ${entry.attempt}` : ""}`;
  return [element("p", { className: "hint" }, about), actions(entry, direction),
    element("pre", { className: "code", tabindex: 0 }, JSON.stringify(entry.body, null, 2))];
}

/** The JSON is written out only when somebody looks. */
function drawn(entry, direction) {
  const node = element("details", { className: "entry" }, element("summary", {},
    element("span", { className: `http ${isBad(entry) ? "bad" : ""}` }, String(entry.status ?? "no answer")),
    element("span", { className: "what" }, describe(entry, direction)),
    entry.attempt > 1 && element("span", { className: "chip" }, `attempt ${entry.attempt}`),
    element("span", { className: `chip ${channelOf(entry)}` }, channelOf(entry)),
    element("time", { datetime: entry.at }, secondOf(entry.at))));
  node.addEventListener("toggle", () => {
    if (node.open && node.childElementCount === 1) node.append(...details(entry, direction));
  });
  return node;
}

function filters(redraw) {
  const direction = choice("Direction", [["webhooks", "webhooks we post"], ["calls", "API calls we get"]]);
  const kind = choice("Kind", []);
  const channel = choice("Channel", CHANNELS);
  const who = choice("Person", [["", "everybody"], ["this", "this person"]]);
  const words = field("Contains", { type: "search", id: "inspect-words", placeholder: "an id, a word, a code" });
  const offerKinds = () => kind.input.replaceChildren(option(["", "all kinds"]), ...Object.keys(KINDS[direction.input.value]).map(option));
  offerKinds();
  direction.input.addEventListener("change", offerKinds);
  const all = [direction, kind, channel, who, words];
  all.forEach(({ input }) => input.addEventListener("input", redraw));
  const node = element("div", { className: "fields" }, ...all.map((one) => one.node));
  return { node, direction, kind, channel, who, words };
}

function isWanted(entry, { direction, kind, channel, who, words }) {
  const isKind = KINDS[direction.input.value][kind.input.value];
  const someone = who.input.value && person();
  return (!isKind || isKind(entry))
    && (!channel.input.value || channelOf(entry) === channel.input.value)
    && (!someone || mentions(entry, namesOf(someone)))
    && (!words.input.value || mentions(entry, [words.input.value]));
}

function build(box) {
  const list = element("div", { className: "journal" });
  const count = element("p", { className: "hint", "aria-live": "polite" });
  const redraw = async () => {
    const direction = wanted.direction.input.value;
    const entries = (await READERS[direction](READ)).filter((entry) => isWanted(entry, wanted)).reverse();
    count.textContent = entries.length ? `${entries.length} of the last ${READ}, newest first` : "Nothing of that kind among the last ones.";
    reconcile(list, entries.slice(0, SHOWN).map((entry) => ({
      key: `${direction} ${entry.n} ${entry.at}`, print: String(entry.status), make: () => drawn(entry, direction),
    })));
  };
  const wanted = filters(() => attempt(redraw));
  box.append(wanted.node, count, list);
  return redraw;
}

export const inspector = {
  id: "inspect", label: "Inspect", title: "What was called and posted", topics: ["webhooks", "calls"], parts: ["selected"], build,
};
