import { byId } from "/page/dom.js";
import { move, nextNine } from "/page/panels/clock.js";
import { openPanel } from "/page/panels/host.js";
import { state, watch } from "/page/store.js";
import { momentOf, now, secondOf, zone } from "/page/time.js";

function drawTime() {
  byId("now").textContent = momentOf(now());
  byId("now-seconds").textContent = `:${secondOf(now()).slice(-2)}`;
  byId("clock").title = `Simulated time in ${zone()}. Press to travel.`;
}

function drawFaults() {
  const count = state.faults.length;
  const badge = byId("faults-badge");
  badge.hidden = !count;
  badge.textContent = `⚡ ${count}`;
  badge.setAttribute("aria-label", `${count} ${count === 1 ? "fault" : "faults"} armed`);
}

export function showConnection(isLive) {
  byId("connection").hidden = isLive;
}

export function start() {
  byId("clock").addEventListener("click", () => openPanel("clock"));
  byId("faults-badge").addEventListener("click", () => openPanel("faults"));
  byId("hour-on").addEventListener("click", () => move({ advance: "PT1H" }));
  byId("day-on").addEventListener("click", () => move({ advance: "PT24H" }));
  byId("next-nine").addEventListener("click", nextNine);
  watch(["clock", "selected"], drawTime);
  watch(["faults"], drawFaults);
  setInterval(drawTime, 1000);
}
