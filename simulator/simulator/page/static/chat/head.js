import { byId, element } from "/page/dom.js";
import { changeChannel } from "/page/loading.js";
import { change } from "/page/people/changing.js";
import { avatar, written } from "/page/people/faces.js";
import { unreadIn } from "/page/people/seen.js";
import { openPanel } from "/page/panels/host.js";
import { CHANNELS, isWindowOpen, person, state, watch } from "/page/store.js";
import { lengthOf, now } from "/page/time.js";

const HOURS_24 = 24 * 3600 * 1000;

function identity(someone) {
  const parts = [written(someone.phone)];
  if (someone.wa_id !== someone.phone) parts.push(`WhatsApp id ${someone.wa_id}`);
  if (someone.username) parts.push(`@${someone.username}${someone.hides_number ? ", hides the number" : ""}`);
  if (state.channel === "waha" && someone.waha?.lid && someone.waha.lid !== "none") parts.push(`LID ${someone.waha.lid}`);
  return parts.join(" · ");
}

function draw() {
  const someone = person();
  byId("conversation").hidden = !someone;
  byId("nobody").hidden = Boolean(someone);
  byId("layout").classList.toggle("chatting", Boolean(state.selected));
  if (!someone) return;
  const face = byId("chat-face");
  if (face.dataset.of !== someone.phone + someone.name) face.replaceChildren(avatar(someone));
  face.dataset.of = someone.phone + someone.name;
  if (document.activeElement !== byId("chat-name")) byId("chat-name").value = someone.name;
  byId("chat-number").textContent = identity(someone);
  for (const tab of document.querySelectorAll("[data-channel]")) drawTab(tab, someone);
  tick();
}

function drawTab(tab, someone) {
  const { channel } = tab.dataset;
  const isHere = channel === state.channel;
  const fresh = isHere ? 0 : unreadIn(someone.phone, channel, state.messages);
  tab.setAttribute("aria-selected", String(isHere));
  tab.tabIndex = isHere ? 0 : -1;
  tab.replaceChildren(...[
    element("span", { className: "wide" }, "Sabatina · "), CHANNELS[channel],
    fresh > 0 && element("span", { className: "unread", "aria-label": `${fresh} unread` }, String(fresh)),
  ].filter(Boolean));
}

/** What depends on the time: the 24-hour window; for WAHA, whether its session works. */
function tick() {
  const someone = person();
  if (someone) drawStrip(state.channel === "cloud" ? cloudStrip(someone) : wahaStrip());
}

function cloudStrip(someone) {
  if (!someone.window_closes_at) return { tone: "closed", text: "No window yet: only templates arrive until this person writes (131047)" };
  if (!isWindowOpen(someone, now())) return { tone: "closed", text: "Window closed: only templates arrive (131047)" };
  const left = new Date(someone.window_closes_at) - now();
  return { tone: "open", text: `24-hour window: ${lengthOf(left)} left`, share: left / HOURS_24 };
}

function wahaStrip() {
  if (!state.waha) return { tone: "closed", text: "This simulator has no WAHA", tool: "waha" };
  const { status, silent } = state.waha;
  if (silent) return { tone: "closed", text: "The session says WORKING but is silent", tool: "waha" };
  if (status !== "WORKING") return { tone: "closed", text: `The session is ${status}: messages wait`, tool: "waha" };
  return { tone: "open", text: "Session WORKING · no window, no templates, no buttons" };
}

function drawStrip({ tone, text, share = 0, tool = null }) {
  byId("strip").className = `strip ${tone}`;
  byId("strip-text").textContent = text;
  byId("strip-track").hidden = !share;
  byId("strip-left").style.setProperty("width", `${Math.min(100, 100 * share)}%`);
  byId("strip-tool").hidden = !tool;
}

function rename(event) {
  const someone = person();
  const name = event.target.value.trim();
  if (!someone || name === someone.name) return;
  if (name) change(someone, { name });
  else event.target.value = someone.name;
}

function startName() {
  const name = byId("chat-name");
  name.addEventListener("change", rename);
  name.addEventListener("keydown", (event) => {
    if (event.key === "Escape") name.value = person().name;
    if (event.key === "Enter" || event.key === "Escape") name.blur();
  });
}

export function start() {
  startName();
  byId("back").addEventListener("click", () => { location.hash = ""; });
  byId("strip-tool").addEventListener("click", () => openPanel("waha"));
  byId("chat-person").addEventListener("click", () => openPanel("person"));
  for (const tab of document.querySelectorAll("[data-channel]")) {
    tab.addEventListener("click", () => changeChannel(tab.dataset.channel));
  }
  byId("channels").addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const other = document.querySelector('[data-channel][aria-selected="false"]');
    other.click();
    other.focus();
  });
  watch(["people", "selected", "channel", "messages", "waha", "clock"], draw);
  setInterval(tick, 1000);
}
