const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  accepted: ["M8 3.2a4.8 4.8 0 1 0 0 9.6 4.8 4.8 0 0 0 0-9.6ZM8 5.4V8l1.8 1.2"],
  sent: ["M3.5 8.6l2.8 2.9L12 4.8"],
  delivered: ["M1 8.6l2.8 2.9L9.5 4.8", "M7.6 10.6l.9.9 5.9-6.7"],
  send: ["M2.5 13.5 14 8 2.5 2.5l1.6 4.6L9 8l-4.9.9Z"],
  plus: ["M8 2.5v11M2.5 8h11"],
  back: ["M10 3 5 8l5 5"],
  close: ["M3.5 3.5l9 9M12.5 3.5l-9 9"],
  more: ["M8 3.2v.1M8 8v.1M8 12.8v.1"],
  mic: ["M8 2a2 2 0 0 0-2 2v4a2 2 0 0 0 4 0V4a2 2 0 0 0-2-2ZM3.5 8a4.5 4.5 0 0 0 9 0M8 12.5V15"],
  search: ["M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.5 10.5 14 14"],
  tools: ["M2 4.5h7M12 4.5h2M2 11.5h2M7 11.5h7", "M10.5 3a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3ZM5.5 10a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3Z"],
  pencil: ["M3 13l.6-2.8L10.8 3l2.2 2.2-7.2 7.2Z"],
  down: ["M3 6l5 5 5-5"],
  list: ["M2.5 4h.1M2.5 8h.1M2.5 12h.1M5.5 4h8M5.5 8h8M5.5 12h8"],
  reply: ["M6.5 3 2.5 7l4 4M2.5 7h6a5 5 0 0 1 5 5v1"],
  document: ["M4 1.5h5l3.5 3.5v9.5H4ZM9 1.5V5h3.5"],
  image: ["M2 3h12v10H2ZM2 11l3.5-3.5 3 3L11 8l3 3", "M5.5 5.2v.1"],
  video: ["M2 4h8v8H2ZM10 7l4-2.5v7L10 9"],
  audio: ["M3 6v4M6 3.5v9M9 5v6M12 6.5v3"],
  sticker: ["M8 2a6 6 0 1 0 0 12 6 6 0 0 0 0-12ZM5.8 9.6a2.6 2.6 0 0 0 4.4 0", "M6 6.3v.1M10 6.3v.1"],
  location: ["M8 14.5S3 9.8 3 6.5a5 5 0 0 1 10 0c0 3.3-5 8-5 8Z", "M8 6.4v.2"],
  contacts: ["M8 2.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5ZM3 14c0-3 2-4.5 5-4.5s5 1.5 5 4.5"],
  poll: ["M3 13V8M8 13V3M13 13V6"],
  order: ["M2 3h2l1.5 7h6.5l1.5-5H4.7", "M6.5 13v.1M11 13v.1"],
  unsupported: ["M6 6a2 2 0 1 1 2.8 1.8c-.6.3-.8.7-.8 1.4", "M8 12v.1"],
};

/** A drawing in the colour of the text around it; with a label it speaks, without it does not. */
export function icon(name, label = null) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", `icon icon-${name}`);
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else {
    svg.setAttribute("aria-hidden", "true");
  }
  for (const d of PATHS[name] ?? PATHS.unsupported) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}
