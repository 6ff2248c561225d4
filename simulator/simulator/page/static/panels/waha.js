import * as api from "/page/api.js";
import { element, toast } from "/page/dom.js";
import { act, checkbox, choice, field, hint, row, section } from "/page/panels/forms.js";
import { loadWaha } from "/page/loading.js";
import { state } from "/page/store.js";

const STATES = ["WORKING", "STARTING", "SCAN_QR_CODE", "PASSKEY_REQUIRED", "PASSKEY_CONFIRMATION_REQUIRED", "FAILED", "STOPPED"];
const NOISE = [
  ["echo_of_api", "echo of our own send"],
  ["echo_of_app", "sent from the app"],
  ["group", "group message"],
  ["channel", "channel post"],
  ["story", "story"],
];

async function change(wanted) {
  await api.changeSession(wanted);
  await loadWaha();
}

/** The code comes from WAHA's own API, so it needs the key; the simulated one unless it was changed. */
function codePart() {
  const key = field("API key", { value: "simulated-waha-key", autocomplete: "off" });
  const image = element("img", { className: "qr", alt: "The code to pair the number with", width: 180, height: 180, hidden: true });
  const note = hint("");
  const scan = act("Scan the code", () => change({ scan: true }), "Paired");
  const draw = ({ status, session, paired }) => {
    const isShown = status === "SCAN_QR_CODE";
    note.textContent = isShown ? "Scan it with a phone, or press the button." : `No code to scan${paired ? ": a phone is paired" : ""}.`;
    key.node.hidden = scan.hidden = !isShown;
    const address = `/waha/api/${encodeURIComponent(session)}/auth/qr?x-api-key=${encodeURIComponent(key.input.value)}`;
    if (isShown && image.hidden) image.src = `${address}&shown=${Date.now()}`;
    image.hidden = !isShown;
  };
  image.addEventListener("error", () => { note.textContent = "The code could not be had: is it another API key?"; });
  key.input.addEventListener("change", () => { image.hidden = true; draw(state.waha); });
  return { node: section("QR code", image, note, key.node, scan), draw };
}

function sessionPart() {
  const badge = element("b", { className: "status" });
  const next = choice("Make it", STATES);
  next.input.addEventListener("change", () => change({ state: next.input.value }).catch((error) => toast(error.message)));
  const silent = checkbox("Silent: says WORKING, but hears and sends nothing until it is restarted", (is) => change({ silent: is }));
  const node = section("Session", element("p", { className: "row" }, badge), next.node, silent.node);
  const draw = (view) => {
    badge.textContent = `${view.session}: ${view.status}`;
    badge.className = `status ${view.status === "WORKING" && !view.silent ? "good" : "bad"}`;
    next.input.value = view.status;
    silent.input.checked = view.silent;
  };
  return { node, draw };
}

const counts = ({ repeats, strays, waiting_webhooks: waiting, dropped_webhooks: dropped }) => [
  ["Sent twice with one id", Object.keys(repeats ?? {}).length],
  ["Reached nobody", strays],
  ["Webhooks waiting", waiting],
  ["Webhooks given up", dropped],
];

function build(box) {
  if (!api.offers("/control/waha")) {
    box.append(hint("This simulator does not offer WAHA yet."));
    return () => {};
  }
  const parts = [sessionPart(), codePart()];
  const list = element("dl", {});
  const noise = row(...NOISE.map(([kind, label]) => act(label, () => api.makeNoise(kind, state.selected ?? "5511987654321"), "Posted")));
  box.append(...parts.map(({ node }) => node), section("What went wrong so far", list),
    section("Events that nobody should act on", noise));
  return async () => {
    const view = await api.readWaha();
    parts.forEach(({ draw }) => draw(view));
    list.replaceChildren(...counts(view).flatMap(([label, count]) =>
      [element("dt", {}, label), element("dd", {}, String(count ?? 0))]));
  };
}

export const waha = { id: "waha", label: "WAHA", topics: ["waha", "webhooks"], build };
