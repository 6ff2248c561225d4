async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body ? JSON.stringify(body) : undefined,
  });
  if (!response.ok) throw new Error(await reason(response));
  return response.status === 204 ? null : response.json();
}

async function reason(response) {
  const answer = await response.json().catch(() => ({}));
  const detail = answer.detail ?? response.statusText;
  return Array.isArray(detail) ? detail.map((item) => item.msg).join("; ") : String(detail);
}

const phonePath = (phone) => `/control/phones/${encodeURIComponent(phone)}`;

export const listPhones = () => call("GET", "/control/phones?limit=100");
export const changePhone = (phone, change) => call("PUT", phonePath(phone), change);
export const readTranscript = (phone) => call("GET", `${phonePath(phone)}/messages`);
export const say = (phone, said) => call("POST", `${phonePath(phone)}/messages`, said);
export const readClock = () => call("GET", "/control/clock");
export const moveClock = (move) => call("POST", "/control/clock", move);
export const listFaults = () => call("GET", "/control/faults");
export const armFault = (order) => call("POST", "/control/faults", order);
export const disarmFault = (id) => call("DELETE", `/control/faults/${id}`);
export const lastCalls = () => call("GET", "/control/sent?last=30");
export const lastWebhooks = () => call("GET", "/control/webhooks?last=30");
