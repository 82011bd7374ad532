// Takes the bundles on stdin (JSON: { issuer, root: { kid, x, y }, nowMs, bundles }, in base64) as the scanner does, each as the
// first one; the reasons go to stdout, null where accepted. By what was accepted somebody is judged: that must not fail.

import { readFileSync } from "node:fs";

import { accept, BundleError, verdictOf } from "../../src/motma/scanner/bundle.js";

const { issuer, root, nowMs, bundles } = JSON.parse(readFileSync(0, "utf8"));
const roots = [{ kid: root.kid, point: Uint8Array.from(Buffer.from(`04${root.x}${root.y}`, "hex")), revoked: false }];
const nobody = { problem: "code.forged", code: null, status: null, keys: { ageMs: 0, isStale: false } };
const answers = [];
for (const bundle of bundles) {
  try {
    const taken = await accept(Uint8Array.from(Buffer.from(bundle, "base64")), { roots, issuer, nowMs });
    const { outcome } = verdictOf(nobody, taken, nowMs, nowMs);
    if (!["accept", "manual", "refer", "reject"].includes(outcome)) throw new Error(outcome);
    answers.push(null);
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    answers.push(error.code);
  }
}
console.log(JSON.stringify(answers));
