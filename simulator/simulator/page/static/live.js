/** Calls back with the topics that changed; polls each second while events do not flow. */
export function follow(onTopics) {
  const everything = ["phone:", "clock", "faults", "calls", "webhooks"];
  const source = new EventSource("/control/events");
  let poll = null;
  source.onmessage = (event) => onTopics(JSON.parse(event.data));
  source.onopen = () => { clearInterval(poll); poll = null; onTopics(everything); };
  source.onerror = () => { poll ??= setInterval(() => onTopics(everything), 1000); };
  addEventListener("pagehide", () => source.close());
}
