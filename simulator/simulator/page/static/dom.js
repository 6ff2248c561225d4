export const byId = (id) => document.getElementById(id);

/** Builds an element; text goes in as text nodes only, never as HTML. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "className") node.className = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null && child !== false));
  return node;
}

export const button = (label, onclick, attributes = {}) =>
  element("button", { type: "button", onclick, ...attributes }, label);

/** Makes the children of a box those that are wanted. One with the same key and print stays. */
export function reconcile(box, wanted) {
  const old = new Map([...box.children].map((node) => [node.dataset.key, node]));
  let next = box.firstElementChild;
  for (const { key, print, make } of wanted) {
    const kept = old.get(key);
    old.delete(key);
    const node = kept?.print === print ? kept : replaced(kept, make(), key, print);
    if (kept && kept === next) next = node;
    if (node === next) next = node.nextElementSibling;
    else box.insertBefore(node, next);
  }
  old.forEach((node) => node.remove());
}

function replaced(kept, node, key, print) {
  node.dataset.key = key;
  node.print = print;
  const focused = kept ? focusables(kept).indexOf(document.activeElement) : -1;
  kept?.replaceWith(node);
  if (focused >= 0) focusables(node)[focused]?.focus();
  return node;
}

const focusables = (node) => [...node.querySelectorAll("button, input, select, textarea, summary")];

/** Opens a popover beside what was pressed, inside the window. */
export function openNear(popover, anchor) {
  popover.showPopover();
  const at = anchor.getBoundingClientRect();
  const size = popover.getBoundingClientRect();
  const left = Math.min(Math.max(8, at.right - size.width), innerWidth - size.width - 8);
  const below = at.bottom + 4;
  const top = below + size.height < innerHeight ? below : Math.max(8, at.top - size.height - 4);
  popover.style.setProperty("left", `${left}px`);
  popover.style.setProperty("top", `${top}px`);
  popover.querySelector("button, input")?.focus();
}

export function toast(text) {
  const node = byId("toast");
  node.textContent = text;
  node.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { node.hidden = true; }, 6000);
}

/** Does what was asked and says so, or says why it did not work. */
export async function attempt(work, done = null) {
  try {
    const result = await work();
    if (done) toast(done);
    return result;
  } catch (error) {
    toast(error.message);
    return undefined;
  }
}

export function announce(text) {
  byId("announcer").textContent = text;
}

export function download(text, filename, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  element("a", { href: url, download: filename }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

export async function copy(text, what) {
  await attempt(() => navigator.clipboard.writeText(text), `${what} copied`);
}
