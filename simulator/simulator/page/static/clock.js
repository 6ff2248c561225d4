import * as api from "/page/api.js";
import { byId, element, toast } from "/page/dom.js";

const ZONES = ["America/Sao_Paulo", "America/New_York", "America/Mexico_City", "Europe/Lisbon", "Europe/Madrid", "UTC"];
let ahead = 0;
let onTick = () => {};

export const now = () => new Date(Date.now() + ahead);
export const zone = () => byId("zone").value;

const parts = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone(), ...options });
export const timeOf = (at) => parts({ hour: "2-digit", minute: "2-digit" }).format(new Date(at));
export const dayOf = (at) => parts({ weekday: "short", day: "numeric", month: "short", year: "numeric" }).format(new Date(at));

function show() {
  const options = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" };
  byId("clock-now").textContent = parts(options).format(now());
  byId("clock-now").dateTime = now().toISOString();
  onTick();
}

export async function reload() {
  ahead = new Date((await api.readClock()).now) - Date.now();
  show();
}

async function move(change) {
  try {
    await api.moveClock(change);
    await reload();
  } catch (error) {
    toast(`The clock did not move: ${error.message}`);
  }
}

export function start(tick) {
  onTick = tick;
  byId("zone").append(...ZONES.map((name) => element("option", { value: name }, name)));
  byId("zone").value = localStorage.getItem("zone") ?? ZONES[0];
  byId("zone").addEventListener("change", () => { localStorage.setItem("zone", zone()); show(); });
  byId("next-nine").addEventListener("click", () => move({ next: "09:00", zone: zone() }));
  for (const button of document.querySelectorAll("[data-advance]")) {
    button.addEventListener("click", () => move({ advance: button.dataset.advance }));
  }
  setInterval(show, 1000);
}
