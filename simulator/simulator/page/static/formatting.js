import { element } from "/page/dom.js";

// WhatsApp's marks hug a word: "*bold*" is bold, "2 * 3 * 4" is not.
const INLINE = [
  [/```([\s\S]+?)```/, "pre", false],
  [/`([^`\n]+)`/, "code", false],
  [/(?<![\w*])\*(?=\S)([^*\n]*\S)\*(?![\w*])/, "strong", true],
  [/(?<![\w_])_(?=\S)([^_\n]*\S)_(?![\w_])/, "em", true],
  [/(?<![\w~])~(?=\S)([^~\n]*\S)~(?![\w~])/, "s", true],
];

function firstMark(text) {
  let first = null;
  for (const [pattern, tag, nests] of INLINE) {
    const match = pattern.exec(text);
    if (match && (!first || match.index < first.match.index)) first = { match, tag, nests };
  }
  return first;
}

export function inline(text) {
  const nodes = [];
  for (let found = firstMark(text); found; found = firstMark(text)) {
    const { match, tag, nests } = found;
    if (match.index) nodes.push(text.slice(0, match.index));
    nodes.push(element(tag, {}, ...(nests ? inline(match[1]) : [match[1]])));
    text = text.slice(match.index + match[0].length);
  }
  if (text) nodes.push(text);
  return nodes;
}

const BLOCKS = [
  [/^> ?(.*)$/, "blockquote", "p"],
  [/^[-*] (.*)$/, "ul", "li"],
  [/^\d{1,2}\. (.*)$/, "ol", "li"],
];

function blockOf(line) {
  for (const [pattern, container, item] of BLOCKS) {
    const match = pattern.exec(line);
    if (match) return { container, item, text: match[1] };
  }
  return { container: null, item: "p", text: line };
}

function addLine(root, line) {
  const { container, item, text } = blockOf(line);
  const last = root.lastElementChild;
  const node = element(item, {}, ...inline(text));
  if (!container) root.append(node);
  else if (last && last.tagName.toLowerCase() === container) last.append(node);
  else root.append(element(container, firstNumber(container, line), node));
}

const firstNumber = (container, line) => (container === "ol" ? { start: parseInt(line, 10) } : {});

/** The text as WhatsApp shows it. */
export function formatted(text) {
  const root = element("div", { className: "text" });
  for (const part of text.split(/(```[\s\S]+?```)/)) {
    if (part.startsWith("```") && part.length > 6) root.append(...inline(part));
    else if (part) part.replace(/^\n|\n$/g, "").split("\n").forEach((line) => addLine(root, line));
  }
  return root;
}
