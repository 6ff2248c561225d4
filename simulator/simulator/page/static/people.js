import * as api from "/page/api.js";
import { timeOf } from "/page/clock.js";
import { byId, element } from "/page/dom.js";
import { inline } from "/page/formatting.js";

const TINTS = ["#0b7a5b", "#7a4bb0", "#b0562b", "#1f6fb0", "#a8326e", "#5c7a1f"];
let phones = [];

export const find = (phone) => phones.find((person) => person.phone === phone);
export const initials = (name) => name.split(/\s+/).slice(0, 2).map((word) => word[0] ?? "").join("").toUpperCase();
export const tint = (phone) => TINTS[Number(phone.slice(-4)) % TINTS.length];

const seenKey = (phone) => `seen:${phone}`;
const seen = (phone) => Number(localStorage.getItem(seenKey(phone)) ?? 0);
export const markSeen = (phone, count) => localStorage.setItem(seenKey(phone), count);

export function avatar(person) {
  const node = element("span", { className: "avatar", "aria-hidden": "true" }, initials(person.name));
  node.style.setProperty("--tint", tint(person.phone));
  return node;
}

export const summary = (message) => message.text.replace(/\s+/g, " ") || `[${message.template ?? message.type}]`;

function row(person, selected, choose) {
  const last = person.last;
  const isRead = person.phone === selected || last?.from === "user";
  const unread = isRead ? 0 : Math.max(0, person.count - seen(person.phone));
  const item = element("button", { type: "button", "aria-current": String(person.phone === selected), onclick: () => choose(person.phone) },
    avatar(person),
    element("span", { className: "name" }, person.name),
    element("span", { className: "at" }, last ? timeOf(last.at) : ""),
    element("span", { className: "last" }, ...(last ? inline(`${last.from === "user" ? "You: " : ""}${summary(last)}`) : [`+${person.phone}`])),
    unread ? element("span", { className: "unread", "aria-label": `${unread} unread` }, String(unread)) : element("span"));
  return element("li", {}, item);
}

export async function reload(selected, choose) {
  phones = await api.listPhones();
  show(selected, choose);
}

export function show(selected, choose) {
  const current = find(selected);
  if (current) markSeen(current.phone, current.count);
  const focused = [...byId("people").querySelectorAll("button")].indexOf(document.activeElement);
  byId("people").replaceChildren(...phones.map((person) => row(person, selected, choose)));
  if (focused >= 0) byId("people").querySelectorAll("button")[focused]?.focus();
}

export function startForm(choose) {
  const form = byId("new-phone");
  const problem = form.querySelector(".form-error");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const name = form.elements.name.value.trim();
    try {
      const person = await api.changePhone(form.elements.phone.value.trim(), name ? { name } : {});
      form.reset();
      problem.hidden = true;
      choose(person.phone);
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
  });
}
