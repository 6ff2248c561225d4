/** What the panels are built of. */
import { attempt, button, element } from "/page/dom.js";

export const section = (title, ...children) => element("section", {}, element("h3", {}, title), ...children);
export const row = (...children) => element("div", { className: "row" }, ...children);
export const hint = (text) => element("p", { className: "hint" }, text);

/** A labelled input. */
export function field(label, attributes = {}) {
  const input = element("input", attributes);
  return { node: element("label", { className: "field" }, label, input), input };
}

/** A labelled choice among values, or [value, label] pairs. */
export function choice(label, values, attributes = {}) {
  const input = element("select", attributes, ...values.map(option));
  return { node: element("label", { className: "field" }, label, input), input };
}

export function option(value) {
  const [key, label] = Array.isArray(value) ? value : [value, value];
  return element("option", { value: key }, label);
}

export function checkbox(label, onchange) {
  const input = element("input", { type: "checkbox", onchange: () => onchange(input.checked) });
  return { node: element("label", { className: "check" }, input, label), input };
}

/** Shows a value, unless somebody is just changing it. */
export function fill(input, value) {
  if (document.activeElement === input) return;
  if (input.type === "checkbox") input.checked = Boolean(value);
  else input.value = value ?? "";
}

export const act = (label, work, done = null) => button(label, () => attempt(work, done));

/** A form of fields with one button. */
export function form(label, fields, work) {
  const submit = (event) => {
    event.preventDefault();
    attempt(() => work(event.target));
  };
  const press = element("button", { className: "primary" }, label);
  return element("form", { className: "fields", onsubmit: submit }, ...fields.map(({ node }) => node), press);
}
