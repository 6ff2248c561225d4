import * as api from "/page/api.js";
import { attempt, element } from "/page/dom.js";
import { named } from "/page/panels/codes.js";
import { act, checkbox, choice, field, fill, form, hint, row, section } from "/page/panels/forms.js";

const PROBLEMS = [["", "none: all is well"], ...named([190, 131031, 131042, 368, 131057, 133010, 131016])];
const TIERS = [
  ["", "unlimited"],
  ["250", "250 people a day"],
  ["2000", "2,000 people a day"],
  ["10000", "10,000 people a day"],
  ["100000", "100,000 people a day"],
];
const EVENTS = ["ACCOUNT_VIOLATION", "ACCOUNT_RESTRICTION", "DISABLED_UPDATE", "VERIFIED_ACCOUNT", "PARTNER_REMOVED"];

function standing() {
  const problem = choice("Refuses calls with", PROBLEMS);
  const quality = choice("Quality of the number", ["GREEN", "YELLOW", "RED", "UNKNOWN"]);
  const tier = choice("Messaging limit", TIERS);
  const numberOf = (input) => (input.value ? Number(input.value) : null);
  const set = (change) => attempt(() => api.changeAccount(change), "The account was changed");
  problem.input.addEventListener("change", () => set({ problem: numberOf(problem.input) }));
  quality.input.addEventListener("change", () => set({ quality: quality.input.value }));
  tier.input.addEventListener("change", () => set({ tier: numberOf(tier.input) }));
  const draw = async () => {
    const view = await api.readAccount();
    fill(problem.input, view.problem);
    fill(quality.input, view.quality);
    fill(tier.input, view.tier);
  };
  return { node: section("How it stands with Meta", problem.node, quality.node, tier.node), draw };
}

const eventPart = () => section("Announce an account event",
  row(...EVENTS.map((event) => act(event, () => api.changeAccount({ event }), `Announced ${event}`))));

function quirks() {
  let shown = {};
  const set = (change) => attempt(() => api.changeQuirks({ ...shown, ...change }), "From the next payload on");
  const switches = {
    user_ids: checkbox("Business-scoped ids", (is) => set({ user_ids: is })),
    contacts: checkbox("contacts in message webhooks", (is) => set({ contacts: is })),
    millisecond_timestamps: checkbox("Timestamps in milliseconds", (is) => set({ millisecond_timestamps: is })),
  };
  const pricing = choice("Pricing in statuses", ["PMP", "CBP", "none"]);
  const details = choice("error_data", ["object", "string", "absent"]);
  pricing.input.addEventListener("change", () => set({ pricing: pricing.input.value }));
  details.input.addEventListener("change", () => set({ error_data: details.input.value }));
  const draw = async () => {
    shown = await api.readQuirks();
    Object.entries(switches).forEach(([name, { input }]) => fill(input, shown[name]));
    fill(pricing.input, shown.pricing);
    fill(details.input, shown.error_data);
  };
  return { node: section("In what Meta's payloads differ", ...Object.values(switches).map(({ node }) => node), pricing.node, details.node), draw };
}

function notice() {
  const name = field("Field", { required: true, placeholder: "account_alerts" });
  const value = element("textarea", { rows: 4, className: "mono", spellcheck: "false" }, "{}");
  const label = { node: element("label", { className: "field" }, "Value, as JSON", value) };
  const post = () => api.announce(name.input.value, JSON.parse(value.value));
  return section("Any other webhook", form("Post it", [name, label], post));
}

function build(box) {
  const parts = [api.offers("/control/account") && standing(), api.offers("/control/quirks") && quirks()].filter(Boolean);
  if (!parts.length) box.append(hint("This simulator does not offer account problems yet."));
  else box.append(parts[0].node, eventPart(), ...parts.slice(1).map(({ node }) => node), notice());
  return () => Promise.all(parts.map(({ draw }) => draw()));
}

export const account = { id: "account", label: "Cloud account", topics: ["webhooks"], build };
