import * as api from "/page/api.js";
import { attempt, element } from "/page/dom.js";
import { hint, option } from "/page/panels/forms.js";

const EVENTS = [
  "APPROVED", "REJECTED", "PENDING", "PAUSED", "REINSTATED", "DISABLED", "FLAGGED", "IN_APPEAL", "LOCKED",
  "LIMIT_EXCEEDED", "ARCHIVED", "UNARCHIVED", "PENDING_DELETION", "DELETED",
];
const QUALITIES = ["GREEN", "YELLOW", "RED", "UNKNOWN"];
const CATEGORIES = ["UTILITY", "MARKETING", "AUTHENTICATION"];

/** Decides at once; the webhook about it follows by itself. */
function decision(template, { label, name, values, current }, redraw) {
  const input = element("select", { "aria-label": `${label} of ${template.name} (${template.language})` },
    option(["", current]), ...values.filter((value) => value !== current).map(option));
  input.addEventListener("change", async () => {
    const reason = input.value === "REJECTED" ? { reason: "INVALID_FORMAT" } : {};
    await attempt(() => api.decide(template.id, { [name]: input.value, ...reason }), `${template.name}: ${input.value}`);
    await redraw();
  });
  return element("label", { className: "field" }, label, input);
}

function entry(template, redraw) {
  const tone = template.status === "APPROVED" ? "good" : "bad";
  return element("li", { className: "template" },
    element("span", {}, element("b", {}, template.name), ` ${template.language}`,
      element("small", {}, `id ${template.id}${template.reason === "NONE" ? "" : ` · ${template.reason}`}`)),
    element("b", { className: `status ${tone}` }, template.status),
    element("div", { className: "fields" },
      decision(template, { label: "Status", name: "event", values: EVENTS, current: template.status }, redraw),
      decision(template, { label: "Quality", name: "quality", values: QUALITIES, current: template.quality }, redraw),
      decision(template, { label: "Category", name: "category", values: CATEGORIES, current: template.category }, redraw)));
}

function build(box) {
  const list = element("ul", { className: "entries" });
  box.append(hint("What Meta does with a template after it was handed in. Each decision is told by a webhook."), list);
  let print = null;
  const redraw = async () => {
    if (!api.offers("/control/templates")) return list.replaceChildren(element("li", {}, "This simulator does not offer moderation yet."));
    const templates = await api.listTemplates();
    if (print === JSON.stringify(templates)) return undefined;
    print = JSON.stringify(templates);
    const entries = templates.map((template) => entry(template, redraw));
    return list.replaceChildren(...(entries.length ? entries : [element("li", {}, "No templates: every name is taken for approved.")]));
  };
  return redraw;
}

export const templates = { id: "templates", label: "Templates", topics: ["webhooks", "calls"], build };
