class Problem extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function fetched(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body ? JSON.stringify(body) : undefined,
  });
  if (!response.ok) throw new Problem(response.status, await reason(response));
  return response;
}

async function call(method, path, body) {
  const response = await fetched(method, path, body);
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

async function reason(response) {
  const answer = await response.json().catch(() => ({}));
  const detail = answer.detail ?? answer.error?.message ?? response.statusText;
  return Array.isArray(detail) ? detail.map((item) => item.msg).join("; ") : String(detail);
}

let paths = null;

/** What this simulator can do, from its own description: an absent call is not even tried. */
export async function learnFeatures() {
  const description = await call("GET", "/openapi.json");
  paths = Object.keys(description.paths);
}

export const offers = (start) => paths === null || paths.some((path) => path.startsWith(start));

const phonePath = (phone) => `/control/phones/${encodeURIComponent(phone)}`;

export const listPeople = (limit) => call("GET", `/control/phones${limit ? `?limit=${limit}` : ""}`);
export const readPerson = (phone) => call("GET", phonePath(phone));
export const changePerson = (phone, change) => call("PUT", phonePath(phone), change);
export const readChat = (phone) => call("GET", `${phonePath(phone)}/messages`);
export const say = (phone, said) => call("POST", `${phonePath(phone)}/messages`, said);
export const preferMarketing = (phone, wanted) => call("POST", `${phonePath(phone)}/marketing`, { wanted });
export const changeNumber = (phone, number) => call("POST", `${phonePath(phone)}/number`, { number });
export const changeUserId = (phone) => call("POST", `${phonePath(phone)}/user-id`);
export const readScenario = async (phone, channel) =>
  (await fetched("GET", `${phonePath(phone)}/scenario?channel=${channel}`)).text();

export const readClock = () => call("GET", "/control/clock");
export const moveClock = (move) => call("POST", "/control/clock", move);
export const listFaults = () => call("GET", "/control/faults");
export const armFault = (order) => call("POST", "/control/faults", order);
export const disarmFault = (id) => call("DELETE", `/control/faults/${id}`);
export const disarmFaults = () => call("DELETE", "/control/faults");

export const readAccount = () => call("GET", "/control/account");
export const changeAccount = (change) => call("POST", "/control/account", change);
export const readQuirks = () => call("GET", "/control/quirks");
export const changeQuirks = (quirks) => call("PUT", "/control/quirks", quirks);
export const announce = (field, value) => call("POST", "/control/notices", { field, value });
export const listTemplates = () => call("GET", "/control/templates");
export const decide = (template, decision) => call("POST", `/control/templates/${encodeURIComponent(template)}`, decision);

export const readWaha = () => call("GET", "/control/waha");
export const changeSession = (change) => call("POST", "/control/waha/session", change);
export const makeNoise = (kind, phone) => call("POST", "/control/waha/events", { kind, phone });

export const lastCalls = (last) => call("GET", `/control/sent?last=${last}`);
export const lastWebhooks = (last) => call("GET", `/control/webhooks?last=${last}`);
export const replay = (n) => call("POST", `/control/webhooks/${n}/replay`);
export const readState = async () => (await fetched("GET", "/control/state")).text();
export const putState = (state) => call("PUT", "/control/state", state);
export const reset = () => call("POST", "/control/reset");
