const EVERYTHING = ["phone:", "clock", "faults", "waha", "calls", "webhooks"];

/** Calls back with the topics that changed; polls each two seconds while events do not flow. */
export function follow(onTopics, onState) {
  const source = new EventSource("/control/events");
  let poll = null;
  source.onmessage = (event) => onTopics(JSON.parse(event.data));
  source.onopen = () => {
    clearInterval(poll);
    poll = null;
    onState(true);
    onTopics(EVERYTHING);
  };
  source.onerror = () => {
    onState(false);
    poll ??= setInterval(() => onTopics(EVERYTHING), 2000);
    if (source.readyState === EventSource.CLOSED) setTimeout(() => follow(onTopics, onState), 2000);
    if (source.readyState === EventSource.CLOSED) clearInterval(poll);
  };
  addEventListener("pagehide", () => source.close());
}
