/** Calls and webhooks as something to paste into a shell. */
import { channelOf } from "/page/panels/traffic.js";

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const KEYS = {
  cloud: "Authorization: Bearer simulated-access-token",
  waha: "X-Api-Key: simulated-waha-key",
  llm: "Authorization: Bearer simulated-openai-key",
};
const SIGNED = {
  cloud: ["sha256", "simulated-app-secret", "X-Hub-Signature-256: sha256="],
  waha: ["sha512", "simulated-waha-hmac-key", "X-Webhook-Hmac-Algorithm: sha512' -H 'X-Webhook-Hmac: "],
};

function call({ method, path, body }, channel) {
  const parts = [`curl -X ${method} ${quoted(location.origin + path)}`, `-H ${quoted(KEYS[channel])}`];
  if (body !== null) parts.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(body))}`);
  return parts.join(" \\\n  ");
}

/** Signed where it is run, over the very bytes that are sent. */
function webhook({ path, body }, channel) {
  const [digest, secret, header] = SIGNED[channel];
  return [
    `BODY=${quoted(JSON.stringify(body))}`,
    `SIGNATURE=$(printf %s "$BODY" | openssl dgst -${digest} -hmac ${quoted(secret)} | sed 's/^.* //')`,
    `curl -X POST ${quoted(`http://127.0.0.1:8080${path}`)} -H 'Content-Type: application/json' \\`,
    `  -H '${header}'"$SIGNATURE" -d "$BODY"`,
  ].join("\n");
}

export function curl(entry, direction) {
  const channel = channelOf(entry);
  return direction === "calls" ? call(entry, channel) : webhook(entry, channel);
}
