// A device that can ask nobody. On stdin JSON: { now, laterMs, files: { address: base64 }, codes }; it takes the files while it
// has a network, loses it, and says of each code what it knows so much later: { problem, status, rules, verdict } to stdout.

import { readFileSync } from "node:fs";

import { openBelief } from "../../src/motma/scanner/belief.js";
import { memory } from "./forge.js";

const { now, laterMs, files, codes } = JSON.parse(readFileSync(0, "utf8"));
let isAway = false;
const belief = openBelief({
  store: memory(),
  clock: () => now + (isAway ? laterMs : 0),
  device: "dev_1",
  fetch: async (url) => {
    if (isAway) throw new TypeError("offline");
    const body = files[url];
    return body === undefined ? new Response(null, { status: 404 }) : new Response(Buffer.from(body, "base64"));
  },
});
await belief.refresh();
isAway = true;
const said = [];
for (const code of codes) {
  const says = await belief.says(code);
  const { outcome, known, reasons, failed } = says.verdict ?? { reasons: [] };
  const verdict = says.verdict && { outcome, known, reasons: reasons.map((reason) => reason.code), failed };
  said.push({ problem: says.problem, status: says.status, rules: says.rules, verdict });
}
console.log(JSON.stringify(said));
