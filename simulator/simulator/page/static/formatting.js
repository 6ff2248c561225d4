import { element } from "/page/dom.js";

const inert = (url) => element("span", { className: "link", title: "Links do nothing here" }, url);
const marked = (tag) => (inner, pick) => element(tag, {}, ...inline(inner, pick));
const plain = (tag) => (inner) => element(tag, {}, inner);

// WhatsApp's marks hug a word: "*bold*" is bold, "2 * 3 * 4" is not.
const hugging = (mark) => new RegExp(`(?<![\\p{L}\\p{N}${mark}])[${mark}](?=\\S)([^${mark}\\n]*\\S)[${mark}](?![\\p{L}\\p{N}${mark}])`, "u");
const INLINE = [
  [/```([\s\S]+?)```/, plain("pre")],
  [/`([^`\n]+)`/, plain("code")],
  [/(https?:\/\/[^\s<>]*[^\s<>.,;:!?)'"*_~])/, inert],
  [hugging("*"), (inner, pick) => (pick ? pickable(inner, pick) : marked("strong")(inner))],
  [hugging("_"), (inner, pick) => marked("em")(inner, pick)],
  [hugging("~"), (inner, pick) => marked("s")(inner, pick)],
];

const pickable = (word, pick) =>
  element("button", { type: "button", className: "pick", title: `Send "${word}"`, onclick: () => pick(word) }, word);

function firstMark(text) {
  let first = null;
  for (const [pattern, make] of INLINE) {
    const match = pattern.exec(text);
    if (match && (!first || match.index < first.match.index)) first = { match, make };
  }
  return first;
}

export function inline(text, pick = null) {
  const nodes = [];
  for (let found = firstMark(text); found; found = firstMark(text)) {
    const { match, make } = found;
    if (match.index) nodes.push(text.slice(0, match.index));
    nodes.push(make(match[1], pick));
    text = text.slice(match.index + match[0].length);
  }
  if (text) nodes.push(text);
  return nodes;
}

const BLOCKS = [
  [/^> ?(.*)$/, "blockquote", "p"],
  [/^[-*•] (.*)$/, "ul", "li"],
  [/^\d{1,2}\. (.*)$/, "ol", "li"],
];

function blockOf(line) {
  for (const [pattern, container, item] of BLOCKS) {
    const match = pattern.exec(line);
    if (match) return { container, item, text: match[1] };
  }
  return { container: null, item: "p", text: line };
}

// Where nothing can be tapped, choices are "1) ..." lines, or bold words in a line of italics.
const NUMBERED = /^(\d{1,2})\) (.+)$/;
const OFFERED = /^_.*\*.+\*.*_$/;

function lineNodes(text, pick) {
  const numbered = pick && NUMBERED.exec(text);
  if (numbered) {
    const [, number, title] = numbered;
    const choose = { type: "button", className: "pick line", "aria-label": `Send ${number}: ${title}`, onclick: () => pick(number) };
    return [element("button", choose, element("b", {}, number), element("span", {}, ...inline(title)))];
  }
  return inline(text, pick && OFFERED.test(text) ? pick : null);
}

function addLine(root, line, pick) {
  const { container, item, text } = blockOf(line);
  const last = root.lastElementChild;
  const node = element(item, {}, ...lineNodes(text, pick));
  if (!container) root.append(node);
  else if (last && last.tagName.toLowerCase() === container) last.append(node);
  else root.append(element(container, container === "ol" ? { start: parseInt(line, 10) } : {}, node));
}

/** The text as WhatsApp shows it; `pick` is told which of the offered words was tapped. */
export function formatted(text, pick = null) {
  const root = element("div", { className: "text" });
  for (const part of text.split(/(```[\s\S]+?```)/)) {
    if (part.startsWith("```") && part.length > 6) root.append(...inline(part));
    else if (part) part.replace(/^\n|\n$/g, "").split("\n").forEach((line) => addLine(root, line, pick));
  }
  return root;
}
