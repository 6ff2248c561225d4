import * as api from "/page/api.js";
import { attempt, element } from "/page/dom.js";
import { act, checkbox, choice, field, fill, form, hint, section } from "/page/panels/forms.js";
import { loadPeople, open } from "/page/loading.js";
import { change } from "/page/people/changing.js";
import { person, state } from "/page/store.js";

const FORMS = [
  ["canonical", "as dialled"],
  ["without_ninth_digit", "without the ninth digit (Brazil)"],
  ["with_mobile_one", "with 1 after the country (Mexico)"],
];
const LIDS = [
  ["none", "none: the number"],
  ["with_number", "LID, the number beside it"],
  ["resolvable", "LID, only a lookup tells"],
  ["hidden", "LID, nobody tells"],
];
const SHAPES = [
  ["plain", "plain: the text is the body"],
  ["extended", "extended: the text is deeper"],
  ["ephemeral", "ephemeral: disappearing messages"],
];

const set = (wanted) => change(person(), wanted);
const again = async (work) => { await work(person().phone); await loadPeople([state.selected]); };

function choiceOf(label, values, name) {
  const made = choice(label, values);
  made.input.addEventListener("change", () => set({ [name]: made.input.value }));
  return made;
}

function wahaPart() {
  const lid = choiceOf("How WAHA names the person", LIDS, "lid");
  const shape = choiceOf("Shape of messages", SHAPES, "shape");
  const device = field("Device in the chat's name", { type: "number", min: 0, placeholder: "none" });
  device.input.addEventListener("change", () => set({ device: device.input.value ? Number(device.input.value) : null }));
  const node = section("WAHA", lid.node, shape.node, device.node);
  const draw = ({ waha = {} }) => {
    fill(lid.input, waha.lid);
    fill(shape.input, waha.shape);
    fill(device.input, waha.device);
  };
  return { node, draw };
}

function switches() {
  const made = {
    receipts: checkbox("Sends read receipts", (receipts) => set({ receipts })),
    registered: checkbox("Has WhatsApp", (registered) => set({ registered })),
    blocked: checkbox("Has blocked us", (blocked) => set({ blocked })),
    wants_marketing: checkbox("Wants marketing messages", (wanted) => again((phone) => attempt(() => api.preferMarketing(phone, wanted)))),
  };
  const draw = (someone) => Object.entries(made).forEach(([name, { input }]) => fill(input, someone[name]));
  return { node: section("Account", ...Object.values(made).map(({ node }) => node)), draw };
}

function names() {
  const name = field("Name", { maxlength: 80 });
  name.input.addEventListener("change", () => { if (name.input.value.trim()) set({ name: name.input.value.trim() }); });
  const waId = choiceOf("WhatsApp id", FORMS, "wa_id_form");
  const username = field("Username", { pattern: "[a-z0-9._]{3,35}", placeholder: "none" });
  username.input.addEventListener("change", () => set({ username: username.input.value.trim() || null }));
  const hides = checkbox("The business gets no number, only the id", (hidesNumber) => set({ hides_number: hidesNumber }));
  const userId = element("code", {});
  const node = section("Names", name.node, waId.node, username.node, hides.node,
    element("p", { className: "row" }, "Business-scoped id ", userId, act("Give another", () => again(api.changeUserId), "The business is told")));
  const draw = (someone) => {
    fill(name.input, someone.name);
    fill(waId.input, someone.wa_id_form);
    fill(username.input, someone.username);
    fill(hides.input, someone.hides_number);
    hides.input.disabled = !someone.username;
    userId.textContent = someone.user_id ?? "–";
  };
  return { node, draw };
}

async function moveTo(number) {
  const { phone } = await api.changeNumber(state.selected, number);
  history.replaceState(null, "", `#${phone}`);
  await loadPeople();
  await open(phone, state.channel);
}

function build(box) {
  const parts = [names(), switches(), wahaPart()];
  const number = field("New number", { type: "tel", required: true, placeholder: "+55 11 98765-4321" });
  const nobody = hint("Choose a chat first.");
  const all = element("div", {}, ...parts.map(({ node }) => node),
    section("Another number", form("Change the number", [number], async (made) => { await moveTo(number.input.value); made.reset(); }),
      hint("The chats move along, and the business is told by a system message.")));
  box.append(nobody, all);
  return () => {
    const someone = person();
    nobody.hidden = Boolean(someone);
    all.hidden = !someone;
    if (someone) parts.forEach(({ draw }) => draw(someone));
  };
}

export const personPanel = { id: "person", label: "Person", topics: ["phone"], parts: ["people", "selected"], build };
