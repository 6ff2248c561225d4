import { learnFeatures } from "/page/api.js";
import * as attach from "/page/chat/attach.js";
import * as composer from "/page/chat/composer.js";
import * as head from "/page/chat/head.js";
import * as messages from "/page/chat/messages.js";
import { byId, toast } from "/page/dom.js";
import { icon } from "/page/icons.js";
import { follow } from "/page/live.js";
import { loadClock, loadPeople, open, refresh } from "/page/loading.js";
import { account } from "/page/panels/account.js";
import { clock } from "/page/panels/clock.js";
import { faults } from "/page/panels/faults.js";
import * as host from "/page/panels/host.js";
import { inspector } from "/page/panels/inspector.js";
import { personPanel } from "/page/panels/person.js";
import { recording } from "/page/panels/recording.js";
import { templates } from "/page/panels/templates.js";
import { waha } from "/page/panels/waha.js";
import * as adding from "/page/people/adding.js";
import * as list from "/page/people/list.js";
import * as topbar from "/page/topbar.js";

/** The address names the chat: #5511987654321, or #5511987654321/waha. */
async function openFromAddress() {
  const [phone, channel] = location.hash.slice(1).split("/");
  await open(phone || null, channel ?? null).catch((error) => toast(error.message));
  if (phone && matchMedia("(min-width: 761px)").matches) byId("composer").elements.text.focus();
}

// One refresh at a time; what changes meanwhile is gathered for the next.
const PAUSE = 200;
let isBusy = false;
let waiting = new Set();

async function onTopics(topics) {
  topics.forEach((topic) => waiting.add(topic));
  if (isBusy) return;
  isBusy = true;
  try {
    while (waiting.size) {
      const due = [...waiting];
      waiting = new Set();
      await refresh(due);
      await host.refresh(due);
      await new Promise((go) => setTimeout(go, PAUSE));
    }
  } catch {
    topbar.showConnection(false);
  } finally {
    isBusy = false;
  }
}

for (const place of document.querySelectorAll("[data-icon]")) place.prepend(icon(place.dataset.icon));
host.install([clock, faults, personPanel, account, waha, templates, recording, inspector]);
[topbar, adding, list, head, messages, composer, attach].forEach((part) => part.start());
await learnFeatures().catch(() => topbar.showConnection(false));
await Promise.all([loadClock(), loadPeople()]).catch(() => topbar.showConnection(false));
await openFromAddress();
host.start();
addEventListener("hashchange", openFromAddress);
follow(onTopics, topbar.showConnection);
