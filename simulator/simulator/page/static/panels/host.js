/** The drawer of tools: one panel at a time, built when it is first opened. */
import { byId, element } from "/page/dom.js";
import { state, watch } from "/page/store.js";

const panels = new Map();
let current = localStorage.getItem("panel") ?? "clock";

export const isOpen = () => !byId("tools").hidden;

/** A panel: `id`, `label`, `topics` and `parts` that concern it, and `build(box)`, which gives back what draws it anew. */
export function install(list) {
  for (const panel of list) panels.set(panel.id, { ...panel, box: null, redraw: null });
  byId("tool-tabs").replaceChildren(...list.map(({ id, label }) => element("button", {
    type: "button", role: "tab", id: `tab-${id}`, "data-panel": id, "aria-controls": "tool-panels", onclick: () => openPanel(id),
  }, label)));
  for (const panel of panels.values()) {
    if (panel.parts) watch(panel.parts, () => { if (isOpen() && current === panel.id) redraw(panel); });
  }
}

async function redraw(panel) {
  try {
    await panel.redraw?.();
    panel.problem.hidden = true;
  } catch (error) {
    const isAbsent = [401, 404, 405].includes(error.status);
    panel.problem.textContent = isAbsent ? `This simulator does not offer this yet (${error.status}).` : error.message;
    panel.problem.hidden = false;
  }
}

function built(panel) {
  if (panel.box) return panel.box;
  const inner = element("div", {});
  panel.problem = element("p", { className: "problem", role: "alert", hidden: true });
  panel.box = element("div", { className: `panel ${panel.id}` }, element("h2", {}, panel.title ?? panel.label), panel.problem, inner);
  panel.redraw = panel.build(inner);
  return panel.box;
}

export function openPanel(id) {
  const panel = panels.get(id) ?? panels.values().next().value;
  current = panel.id;
  localStorage.setItem("panel", current);
  toggle(true);
  for (const tab of byId("tool-tabs").children) {
    const isChosen = tab.dataset.panel === current;
    tab.setAttribute("aria-selected", String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
  }
  byId("tool-panels").replaceChildren(built(panel));
  byId("tool-panels").setAttribute("aria-labelledby", `tab-${current}`);
  return redraw(panel);
}

function toggle(opens) {
  byId("tools").hidden = !opens;
  byId("layout").classList.toggle("with-tools", opens);
  byId("tools-toggle").setAttribute("aria-expanded", String(opens));
  localStorage.setItem("tools", opens ? "open" : "shut");
}

/** Tells the open panel that the simulator changed. */
export async function refresh(topics) {
  const panel = panels.get(current);
  const isAbout = topics.some((topic) => panel.topics?.includes(topic) || (topic === `phone:${state.selected}` && panel.topics?.includes("phone")));
  if (isOpen() && isAbout) await redraw(panel);
}

/** Opens the inspector with only what mentions this. */
export function inspect(words) {
  openPanel("inspect");
  byId("inspect-words").value = words;
  byId("inspect-words").dispatchEvent(new Event("input"));
}

export function close() {
  toggle(false);
  byId("tools-toggle").focus();
}

function move(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const tabs = [...byId("tool-tabs").children];
  const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
  openPanel(next.dataset.panel);
  next.focus();
}

export function start() {
  byId("tools-toggle").addEventListener("click", () => (isOpen() ? toggle(false) : openPanel(current)));
  byId("tools-close").addEventListener("click", close);
  byId("tool-tabs").addEventListener("keydown", move);
  byId("tools").addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
  const opens = localStorage.getItem("tools") ?? "open";
  if (opens === "open" && innerWidth > 1200) openPanel(current);
}
