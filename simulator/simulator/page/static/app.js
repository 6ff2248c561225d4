import * as chat from "/page/chat.js";
import * as clock from "/page/clock.js";
import * as inspector from "/page/inspector.js";
import { follow } from "/page/live.js";
import * as people from "/page/people.js";

const choose = (phone) => { location.hash = phone ? `#${phone}` : ""; };

async function openFromAddress() {
  const phone = location.hash.slice(1) || null;
  await people.reload(phone, choose);
  await chat.open(phone);
}

async function refresh(topics) {
  const touched = topics.filter((topic) => topic.startsWith("phone:"));
  if (topics.includes("clock")) await clock.reload();
  if (touched.length) await people.reload(chat.current(), choose);
  if (touched.includes(`phone:${chat.current()}`) || touched.includes("phone:")) await chat.reload();
  await inspector.reload(topics);
}

// One refresh at a time; what changes meanwhile is gathered for the next.
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
    }
  } catch (error) {
    console.warn("The simulator does not answer:", error.message);
  } finally {
    isBusy = false;
  }
}

clock.start(chat.tick);
people.startForm(choose);
chat.start(() => choose(null));
inspector.start();
addEventListener("hashchange", openFromAddress);
await clock.reload();
await openFromAddress();
follow(onTopics);
