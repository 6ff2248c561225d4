import { button, byId, element } from "/page/dom.js";

/** The list of an interactive message, with its sections and descriptions. */
export function openSheet(message, choose) {
  const sheet = byId("list-sheet");
  const pick = (option) => { sheet.close(); choose(option); };
  byId("list-title").textContent = message.menu;
  byId("list-rows").replaceChildren(...sections(message.options).map(({ title, rows }) =>
    element("section", {}, title && element("h3", {}, title), ...rows.map((option) => row(option, pick)))));
  sheet.showModal();
}

function sections(options) {
  const found = [];
  for (const option of options) {
    const title = option.section ?? "";
    if (found.at(-1)?.title !== title) found.push({ title, rows: [] });
    found.at(-1).rows.push(option);
  }
  return found;
}

const row = (option, pick) => button(
  element("span", {}, option.title, option.description && element("small", {}, option.description)), () => pick(option));
