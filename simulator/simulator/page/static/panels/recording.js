import * as api from "/page/api.js";
import { attempt, download, element, toast } from "/page/dom.js";
import { act, hint, row, section } from "/page/panels/forms.js";
import { loadPeople, open } from "/page/loading.js";
import { CHANNELS, state } from "/page/store.js";

function scenario() {
  const text = element("pre", { className: "code", tabindex: 0, "aria-label": "The scenario" });
  const read = async (channel) => {
    if (!state.selected) throw new Error("Choose a chat first");
    text.textContent = await api.readScenario(state.selected, channel);
    return text.textContent;
  };
  const save = async (channel) => download(await read(channel), `chat-${channel}.yaml`, "application/yaml");
  const names = Object.entries(CHANNELS);
  return section("This chat as a scenario",
    hint("A file that plays the same chat again: python -m simulator.scenarios run FILE"),
    row(...names.map(([channel, name]) => act(`Download ${name}`, () => save(channel)))),
    row(...names.map(([channel, name]) => act(`Look at ${name}`, () => read(channel)))),
    text);
}

async function load(file) {
  if (!file) return;
  await api.putState(JSON.parse(await file.text()));
  await loadPeople();
  if (state.selected) await open(state.selected);
  toast("The state was loaded");
}

const day = () => new Date().toISOString().slice(0, 10);

function wholeState() {
  const file = element("input", { type: "file", accept: "application/json,.json", "aria-label": "A state to load" });
  file.addEventListener("change", () => attempt(() => load(file.files[0])).then(() => { file.value = ""; }));
  const save = async () => download(await api.readState(), `simulator-${day()}.json`, "application/json");
  return section("Everything",
    hint("People, chats, templates, the account and the clock. Loading one replaces what is here; the clock only goes forward."),
    row(act("Download the state", save)), element("label", { className: "field" }, "Load a state", file));
}

/** A second press confirms: what is forgotten is gone. */
function resetPart() {
  const again = element("button", { type: "button", className: "danger", hidden: true }, "Yes, forget everything");
  const first = act("Reset the simulator", async () => { again.hidden = false; again.focus(); });
  again.addEventListener("click", () => attempt(async () => {
    again.hidden = true;
    await api.reset();
    location.hash = "";
    await loadPeople();
  }, "Everything was forgotten"));
  return section("Reset", hint("Forgets people, chats, faults and journals. The time stays."), row(first, again));
}

function build(box) {
  box.append(
    api.offers("/control/phones/{phone}/scenario") ? scenario() : hint("This simulator does not record scenarios yet."),
    api.offers("/control/state") ? wholeState() : hint("This simulator does not export its state yet."),
    resetPart());
  return () => {};
}

export const recording = { id: "record", label: "Record", title: "Record, keep, reset", build };
