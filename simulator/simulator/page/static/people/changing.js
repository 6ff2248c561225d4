import * as api from "/page/api.js";
import { attempt } from "/page/dom.js";
import { loadPeople } from "/page/loading.js";

/** How WAHA sees the account goes along: a change that leaves it out would set it back. */
const asBefore = ({ waha }) => (waha ? { lid: waha.lid, shape: waha.shape, device: waha.device } : {});

export async function change(someone, wanted) {
  await attempt(() => api.changePerson(someone.phone, { ...asBefore(someone), ...wanted }));
  await loadPeople([someone.phone]);
}
