import * as api from "/page/api.js";
import { attempt, button, element } from "/page/dom.js";
import { loadFaults } from "/page/loading.js";
import { CODES } from "/page/panels/codes.js";
import { act, choice, field, form, option, row, section } from "/page/panels/forms.js";
import { state } from "/page/store.js";

const KINDS = {
  send: ["error", "failed_status", "timeout_after_acceptance", "http_500_before", "delay"],
  media: ["error", "http_500_before", "delay"],
  webhook: ["duplicate", "reorder", "drop", "bad_signature", "delay"],
  status: ["failed_status", "duplicate", "reorder", "drop", "bad_signature", "delay"],
  llm: ["error", "timeout_after_acceptance", "http_500_before", "delay", "slow_body", "garbage", "wrong_schema", "truncated", "refusal", "filtered"],
};
const TARGETS = [["send", "sending"], ["media", "files"], ["webhook", "webhooks: messages"], ["status", "webhooks: statuses"], ["llm", "the model"]];

const READY = {
  "Rate limit, once": { target: "send", kind: "error", code: 130429 },
  "Undeliverable, once": { target: "send", kind: "failed_status", code: 131026 },
  "Sent, but no answer": { target: "send", kind: "timeout_after_acceptance" },
  "HTTP 500, 3 times": { target: "send", kind: "http_500_before", times: 3 },
  "Webhooks twice": { target: "webhook", kind: "duplicate", times: null },
  "The model is down": { target: "llm", kind: "http_500_before", times: null },
};

async function arm(order) {
  await api.armFault(order);
  await loadFaults();
}

function order(elements) {
  const wanted = { target: elements.target.value, kind: elements.kind.value, rate: Number(elements.rate.value) / 100 };
  wanted.times = elements.times.value ? Number(elements.times.value) : null;
  if (elements.code.value) wanted.code = Number(elements.code.value);
  if (elements.delay.value) wanted.delay = `PT${elements.delay.value}S`;
  if (elements.who.value) wanted.phone = elements.who.value === "this" ? state.selected : elements.who.value;
  if (elements.channel.value) wanted.channel = elements.channel.value;
  return wanted;
}

function orderForm() {
  const target = choice("What", TARGETS, { name: "target" });
  const kind = choice("How it goes wrong", KINDS.send, { name: "kind" });
  target.input.addEventListener("change", () => kind.input.replaceChildren(...KINDS[target.input.value].map(option)));
  const codes = element("datalist", { id: "codes" }, ...Object.entries(CODES).map(([code, meaning]) => element("option", { value: code }, meaning)));
  const fields = [
    target, kind,
    field("Code", { name: "code", inputmode: "numeric", pattern: "[0-9]*", list: "codes", placeholder: "by its kind" }),
    field("Times (empty: until disarmed)", { name: "times", type: "number", min: 1, value: 1 }),
    field("How often, %", { name: "rate", type: "number", min: 0, max: 100, value: 100 }),
    field("Delay, seconds", { name: "delay", type: "number", min: 0, step: "any", placeholder: "2" }),
    choice("Whom", [["", "everybody"], ["this", "this person"]], { name: "who" }),
    choice("Channel", [["", "both"], ["cloud", "Cloud API"], ["waha", "WAHA"]], { name: "channel" }),
  ];
  const node = form("Arm the fault", fields, (made) => arm(order(made.elements)));
  node.append(codes);
  return node;
}

function armed({ id, order: wanted, left, happened }) {
  const share = wanted.rate < 1 && `${Math.round(wanted.rate * 100)} %`;
  const about = [wanted.code, share, wanted.phone && `+${wanted.phone}`, wanted.channel].filter(Boolean);
  const disarm = async () => {
    await api.disarmFault(id);
    await loadFaults();
  };
  return element("li", {},
    element("span", {}, element("b", {}, `${wanted.target}: ${wanted.kind}`), about.length ? ` · ${about.join(" · ")}` : "",
      element("small", {}, `happened ${happened}× · ${left === null ? "until disarmed" : `${left} left`}`)),
    button("Disarm", () => attempt(disarm), { "aria-label": `Disarm ${wanted.target} ${wanted.kind}` }));
}

function build(box) {
  const list = element("ul", { className: "entries" });
  const all = act("Disarm all", async () => { await api.disarmFaults(); await loadFaults(); });
  box.append(
    section("Armed", list, all),
    section("Ready-made", row(...Object.entries(READY).map(([label, wanted]) => act(label, () => arm(wanted), `Armed: ${label}`)))),
    section("Arm another", orderForm()));
  return () => {
    list.replaceChildren(...(state.faults.length ? state.faults.map(armed) : [element("li", {}, "Nothing goes wrong.")]));
    all.hidden = state.faults.length < 2;
  };
}

export const faults = { id: "faults", label: "Faults", topics: ["faults"], parts: ["faults"], build };
