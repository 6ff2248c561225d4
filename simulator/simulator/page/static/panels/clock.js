import * as api from "/page/api.js";
import { attempt, element, toast } from "/page/dom.js";
import { choice, field, fill, form, act, hint, row, section } from "/page/panels/forms.js";
import { loadClock } from "/page/loading.js";
import { isWindowOpen, person, put, state } from "/page/store.js";
import { instantOf, lengthOf, localOf, momentOf, now, secondOf, zone, ZONES } from "/page/time.js";

const UNITS = [["M", "minutes"], ["H", "hours"], ["D", "days"], ["W", "weeks"]];
const DURATION = { M: (n) => `PT${n}M`, H: (n) => `PT${n}H`, D: (n) => `P${n}D`, W: (n) => `P${n * 7}D` };

export async function move(change) {
  await attempt(() => api.moveClock(change));
  await loadClock();
}

export const nextNine = () => move({ next: "09:00", zone: zone() });

/** Just past the end of the window, where only templates arrive. */
function closeWindow() {
  const someone = person();
  if (!someone || !isWindowOpen(someone, now())) return toast("The window of this person is closed already");
  return move({ to: new Date(Date.parse(someone.window_closes_at) + 1000).toISOString() });
}

function zoneChoice() {
  const zones = choice("Time zone", [["", "of the person's number"], ...ZONES]);
  zones.input.value = localStorage.getItem("zone") ?? "";
  zones.input.addEventListener("change", () => {
    localStorage.setItem("zone", zones.input.value);
    put({ clock: state.clock });
  });
  return zones;
}

function jumps() {
  const at = field("Date and time, in this zone", { type: "datetime-local", required: true });
  const count = field("How much", { type: "number", min: 1, value: 1, required: true });
  const unit = choice("Unit", UNITS, { value: "H" });
  unit.input.value = "H";
  fill(at.input, localOf(now()));
  return [
    section("Go to a moment", form("Go there", [at], () => move({ to: instantOf(at.input.value).toISOString() }))),
    section("Go ahead by", form("Go ahead", [count, unit], () => move({ advance: DURATION[unit.input.value](count.input.value) }))),
  ];
}

function build(box) {
  const time = element("time", { className: "big" });
  const about = hint("");
  box.append(time, about, zoneChoice().node,
    row(act("+1 h", () => move({ advance: "PT1H" })), act("+24 h", () => move({ advance: "PT24H" })),
      act("Next 09:00", nextNine), act("Past the window", closeWindow)),
    ...jumps(), hint("The clock goes forward only: reminders and questions that became due would happen twice."));
  const draw = () => {
    time.textContent = `${momentOf(now())}:${secondOf(now()).slice(-2)}`;
    const ahead = Math.abs(state.clock) < 2000 ? "real time" : `${lengthOf(state.clock)} ahead of real time`;
    about.textContent = `${zone()} · ${now().toISOString().slice(0, 19)}Z · ${ahead}`;
  };
  setInterval(() => { if (box.isConnected) draw(); }, 1000);
  return draw;
}

export const clock = { id: "clock", label: "Clock", topics: ["clock"], parts: ["clock", "selected"], build };
