import * as api from "/page/api.js";
import { byId } from "/page/dom.js";
import { loadPeople } from "/page/loading.js";

/** What is wrong with a number, in words; null when nothing is. */
function complaint(written) {
  const digits = written.replace(/[\s()+.-]/g, "");
  if (!digits) return "Write the number with its country code, as in +55 11 98765-4321.";
  if (/\D/.test(digits)) return "A number has digits only, besides +, spaces, dots, dashes and brackets.";
  if (digits.startsWith("0")) return "Start with the country code, as in +55, without a leading 0.";
  if (digits.length < 7) return "That is too short: 7 digits at least, with the country code.";
  if (digits.length > 15) return "That is too long: 15 digits at most.";
  return null;
}

function complain(form, text) {
  const problem = byId("number-problem");
  problem.textContent = text ?? "";
  problem.hidden = !text;
  form.elements.phone.setAttribute("aria-invalid", String(Boolean(text)));
  if (text) form.elements.phone.focus();
}

async function add(event) {
  event.preventDefault();
  const form = event.target;
  const number = form.elements.phone.value.trim();
  const wrong = complaint(number);
  if (wrong) return complain(form, wrong);
  const name = form.elements.name.value.trim();
  try {
    const added = await api.changePerson(number, name ? { name } : {});
    await loadPeople([added.phone]);
    complain(form, null);
    form.reset();
    byId("adding").open = false;
    location.hash = `#${added.phone}`;
  } catch (error) {
    complain(form, error.message);
  }
  return undefined;
}

export function start() {
  const form = byId("new-phone");
  form.addEventListener("submit", add);
  form.elements.phone.addEventListener("input", () => complain(form, null));
  byId("adding").addEventListener("toggle", (event) => { if (event.target.open) form.elements.phone.focus(); });
}
