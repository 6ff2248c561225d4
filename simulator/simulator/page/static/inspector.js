import * as api from "/page/api.js";
import { timeOf } from "/page/clock.js";
import { byId, element, toast } from "/page/dom.js";

const KINDS = {
  send: ["error", "failed_status", "timeout_after_acceptance", "http_500_before", "delay"],
  webhook: ["duplicate", "reorder", "drop", "bad_signature", "delay"],
  status: ["failed_status", "duplicate", "reorder", "drop", "bad_signature", "delay"],
  llm: ["error", "timeout_after_acceptance", "http_500_before", "delay", "garbage", "truncated", "refusal"],
};
const TABS = { webhooks: showWebhooks, calls: showCalls, faults: showFaults };
let tab = "webhooks";

export const isOpen = () => !byId("inspector").hidden;

export async function reload(topics) {
  if (topics.includes("faults")) await showBadge();
  if (isOpen() && topics.includes(tab)) await TABS[tab]();
}

async function showBadge() {
  const faults = await api.listFaults();
  byId("faults-badge").hidden = !faults.length;
  const noun = faults.length === 1 ? "fault" : "faults";
  byId("faults-badge").replaceChildren(`⚡ ${faults.length} `, element("span", { className: "wide" }, `${noun} armed`));
  byId("faults-badge").setAttribute("aria-label", `${faults.length} ${noun} armed`);
}

function entry(item, what) {
  const isBad = item.status === null || item.status >= 300;
  return element("details", { className: "entry", "data-n": item.n },
    element("summary", {},
      element("span", { className: `code ${isBad ? "bad" : ""}` }, String(item.status ?? "no answer")),
      element("span", { className: "what" }, what),
      element("span", {}, timeOf(item.at))),
    element("pre", {}, JSON.stringify(item.body, null, 2)));
}

function describeWebhook(item) {
  const values = (item.body?.entry ?? []).flatMap((part) => part.changes.map((change) => change.value));
  const statuses = values.flatMap((value) => value.statuses ?? []).map((status) => `status ${status.status}`);
  const messages = values.flatMap((value) => value.messages ?? []).map((message) => `message ${message.type}`);
  return [...messages, ...statuses].join(", ");
}

function describeCall(item) {
  const body = item.body ?? {};
  return `${item.method} ${item.path.split("/").pop()} ${body.status ?? body.type ?? body.model ?? ""}`;
}

function showEntries(items, describe) {
  const open = new Set([...byId("inspected").querySelectorAll("details[open]")].map((node) => node.dataset.n));
  const nodes = items.reverse().map((item) => entry(item, describe(item)));
  nodes.forEach((node) => { node.open = open.has(node.dataset.n); });
  byId("inspected").replaceChildren(...(nodes.length ? nodes : [element("p", { className: "empty" }, "Nothing yet.")]));
}

async function showWebhooks() { showEntries(await api.lastWebhooks(), describeWebhook); }
async function showCalls() { showEntries(await api.lastCalls(), describeCall); }

function select(name, values) {
  return element("select", { name }, ...values.map((value) => element("option", { value }, value)));
}

function faultForm() {
  const kind = select("kind", KINDS.send);
  const target = select("target", Object.keys(KINDS));
  target.addEventListener("change", () => kind.replaceChildren(...select("", KINDS[target.value]).children));
  const labelled = (text, field) => element("label", {}, text, field);
  return element("form", { className: "fault-form", onsubmit: arm },
    labelled("What", target), labelled("How it goes wrong", kind),
    labelled("Times (empty: until disarmed)", element("input", { name: "times", type: "number", min: 1, value: 1 })),
    labelled("Code", element("input", { name: "code", type: "number", placeholder: "131056" })),
    element("button", { className: "primary" }, "Arm the fault"));
}

async function arm(event) {
  event.preventDefault();
  const { target, kind, times, code } = event.target.elements;
  const order = { target: target.value, kind: kind.value, times: times.value ? Number(times.value) : null };
  if (code.value) order.code = Number(code.value);
  await api.armFault(order).catch((error) => toast(error.message));
}

function armed(fault) {
  const { target, kind, code } = fault.order;
  return element("div", { className: "entry" }, element("div", { className: "row" },
    element("span", { className: "what" }, `${target}: ${kind} ${code ?? ""} · ${fault.left ?? "∞"} left, happened ${fault.happened}×`),
    element("button", { type: "button", onclick: () => api.disarmFault(fault.id) }, "Disarm")));
}

async function showFaults() {
  const faults = await api.listFaults();
  const form = byId("inspected").querySelector(".fault-form") ?? faultForm();
  byId("inspected").replaceChildren(form, ...faults.map(armed));
}

function choose(name) {
  tab = name;
  for (const button of document.querySelectorAll("[data-tab]")) {
    button.setAttribute("aria-selected", String(button.dataset.tab === name));
  }
  byId("inspected").replaceChildren();
  return TABS[name]();
}

function toggle(opens) {
  byId("inspector").hidden = !opens;
  byId("layout").classList.toggle("inspecting", opens);
  byId("inspector-toggle").setAttribute("aria-expanded", String(opens));
  if (opens) choose(tab);
}

export function start() {
  byId("inspector-toggle").addEventListener("click", () => toggle(!isOpen()));
  byId("inspector-close").addEventListener("click", () => { toggle(false); byId("inspector-toggle").focus(); });
  byId("faults-badge").addEventListener("click", () => { tab = "faults"; toggle(true); });
  for (const button of document.querySelectorAll("[data-tab]")) {
    button.addEventListener("click", () => choose(button.dataset.tab));
  }
}
