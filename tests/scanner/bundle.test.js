// The device's judgement of bundles of rules, on the vectors that the server's is held to; then keeping and fetching.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { accept, BUNDLE_MAX_BYTES, BundleError, openBundle, rulesAt, verdictOf } from "../../src/motma/scanner/bundle.js";

const VECTORS = JSON.parse(readFileSync(new URL("../../vectors/bundle/bundles.json", import.meta.url), "utf8"));
const { issuer } = VECTORS;
const ROOTS = VECTORS.roots.map(({ kid, x, y, revoked }) => ({ kid, point: Uint8Array.from(Buffer.from(`04${x}${y}`, "hex")), revoked }));
const DAY = 86_400_000;

const bytesOf = (name) => Uint8Array.from(Buffer.from(VECTORS.bundles[name], "base64"));
const caseOf = (about) => VECTORS.cases.find((one) => one.about === about);
const rawOf = (about) => bytesOf(caseOf(about).steps.at(-1).bundle);
const FIRST = rawOf("the first rules");
const NOW = caseOf("the first rules").steps[0].now * 1000;

for (const { about, steps, state } of VECTORS.cases) {
  test(`bundle: ${about}`, async () => {
    let held = null;
    for (const { bundle, now, expect } of steps) {
      const became = await accept(bytesOf(bundle), { roots: ROOTS, issuer, nowMs: now * 1000, held }).catch((error) => {
        assert.ok(error instanceof BundleError, error.stack);
        return error.code;
      });
      if (typeof became === "object") held = became;
      assert.equal(typeof became === "object" ? "accepted" : became, expect);
    }
    const is = held && { version: held.version, issued_at: held.issuedAt / 1000, place: held.place };
    if (state) assert.deepEqual(Object.fromEntries(Object.keys(state).map((name) => [name, is[name]])), state);
  });
}

test("a bundle that is changed in any bit is refused, and by a reason", async () => {
  for (let bit = 0; bit < FIRST.length * 8; bit += 61) {
    const other = FIRST.slice();
    other[bit >> 3] ^= 1 << (bit & 7);
    await assert.rejects(accept(other, { roots: ROOTS, issuer, nowMs: NOW }), ({ code }) => /^bundle\./.test(code), `bit ${bit}`);
  }
});

// ---------------------------------------------------------------- keeping it

const lineOf = (roots = ROOTS) => ({ list: { issuer, roots, keyring: new Map() }, now: () => NOW, saw: async () => {} });

function device({ kept, roots } = {}) {
  const it = { store: { kept }, now: NOW, serves: null, asked: [] };
  it.trust = { ...lineOf(roots), now: () => it.now, saw: async (ms) => void (it.saw = ms) };
  const store = { get: async () => it.store.kept, put: async (record) => void (it.store.kept = record) };
  const fetch = async (url, { headers }) => {
    it.asked.push([url, headers["If-None-Match"] ?? null]);
    if (it.serves === null) throw new TypeError("offline");
    if (it.serves.status) return new Response(null, { status: it.serves.status });
    if (headers["If-None-Match"] === it.serves.etag) return new Response(null, { status: 304 });
    return new Response(it.serves.raw, { headers: { etag: it.serves.etag } });
  };
  it.open = () => (it.rules = openBundle({ trust: it.trust, store, fetch }));
  it.open();
  return it;
}

async function holding(more = {}) {
  const it = device(more);
  it.serves = { raw: FIRST, etag: '"1"' };
  assert.deepEqual(await it.rules.refresh(), { kind: "taken" });
  return it;
}

test("fetched, kept, confirmed by a 304, and enough when the network is gone", async () => {
  const it = await holding();
  assert.equal(it.saw, NOW - 60_000, "signed times are told to the clock");
  it.now += DAY;
  assert.deepEqual(await it.rules.refresh(), { kind: "same" });
  assert.deepEqual(it.asked, [["/v1/bundle", null], ["/v1/bundle", '"1"']]);
  it.serves = null;
  it.now += DAY;
  for (const again of [false, true]) {
    if (again) it.open();
    assert.deepEqual(await it.rules.refresh(), { kind: "away" });
    const { bundle, confirmedAt, code, refused } = await it.rules.held();
    assert.deepEqual([bundle.version, confirmedAt, code, refused], [5, NOW + DAY, null, null]);
  }
  it.serves = { status: 401 };
  assert.deepEqual(await it.rules.refresh(), { kind: "away" });
});

test("what is refused is told, and what is held stays, also after it was loaded anew", async () => {
  const it = await holding();
  it.now += DAY;
  const refusals = { "of a lower version": "rolled_back", "for another checkpoint": "elsewhere", "half of it": "unreadable" };
  for (const [about, code] of Object.entries({ ...refusals, "signed by a stranger": "unknown_root" })) {
    it.serves = { raw: rawOf(about), etag: '"2"' };
    assert.deepEqual(await it.rules.refresh(), { kind: "refused", code: `bundle.${code}` });
    const { bundle, refused } = await it.rules.held();
    assert.deepEqual([bundle.version, refused], [5, `bundle.${code}`]);
  }
  it.serves = { raw: new Uint8Array(BUNDLE_MAX_BYTES + 1), etag: '"3"' };
  assert.deepEqual(await it.rules.refresh(), { kind: "refused", code: "bundle.too_large" });
  it.open();
  assert.equal((await it.rules.held()).bundle.version, 5);
});

test("rules that are over are not judged by; newer ones come back", async () => {
  const it = await holding();
  it.now += 7 * DAY;
  assert.deepEqual(await it.rules.held(), { bundle: null, confirmedAt: NOW, code: "bundle.over", refused: null });
  it.now = NOW + DAY;
  it.serves = { raw: rawOf("others later"), etag: '"2"' };
  await it.rules.refresh();
  assert.equal((await it.rules.held()).bundle.version, 6);
});

test("rules by a root that was revoked since are not judged by, and stand in nobody's way", async () => {
  const it = await holding();
  it.trust.list = { ...it.trust.list, roots: ROOTS.map((root) => ({ ...root, revoked: true })) };
  assert.deepEqual([(await it.rules.held()).bundle, (await it.rules.held()).code], [null, "bundle.revoked_root"]);
  it.serves = { raw: FIRST, etag: '"1"' };
  await it.rules.refresh();
  assert.equal(it.asked.at(-1)[1], null, "asked for anew, whatever is kept");
});

test("what is kept and cannot be read is nothing, and is told; a store that fails is asked again", async () => {
  const damaged = device({ kept: { raw: FIRST.slice(0, 99), etag: '"1"', signer: "", confirmedAt: NOW } });
  assert.deepEqual(await damaged.rules.held(), { bundle: null, confirmedAt: null, code: "bundle.unreadable", refused: "bundle.unreadable" });
  damaged.serves = { raw: FIRST, etag: '"1"' };
  assert.deepEqual([await damaged.rules.refresh(), damaged.asked[0][1]], [{ kind: "taken" }, null]);
  let fails = true;
  const store = { get: async () => (fails ? Promise.reject(new Error("no")) : undefined), put: async () => {} };
  const rules = openBundle({ trust: lineOf(), store, fetch: null });
  await assert.rejects(rules.held());
  fails = false;
  assert.equal((await rules.held()).bundle, null);
});

// ---------------------------------------------------------------- judging by it

const says = (revoked) => ({
  problem: null,
  code: { live: "live", matched: true, worth: "accept", issuedAt: NOW, validFrom: NOW, validUntil: NOW + DAY },
  status: { said: revoked ? "revoked" : "valid", code: null, ageMs: 0 },
  keys: { ageMs: 0, isStale: false },
});

test("by the rules of the time of the scan; compiled once; without a measure nobody is asked", async () => {
  const bundle = await accept(FIRST, { roots: ROOTS, issuer, nowMs: NOW });
  assert.equal(rulesAt(bundle, NOW).book, rulesAt(bundle, NOW + DAY).book);
  const at = (nowMs) => verdictOf(says(true), bundle, NOW, nowMs);
  const ends = Date.parse("2026-04-17T07:00:00Z");
  assert.deepEqual([at(NOW).outcome, at(ends - 1).outcome, at(ends).outcome], ["reject", "reject", "accept"]);
  assert.deepEqual(at(ends).reasons.map(({ code }) => code), ["measure.none_active"]);
  assert.equal(verdictOf(says(false), bundle, NOW, NOW).outcome, "accept");
});

test("policies that cannot be read make everybody be looked at by hand", async () => {
  const bundle = await accept(rawOf("no rule can be read, and that is for the judge"), { roots: ROOTS, issuer, nowMs: NOW });
  const { outcome, known, reasons } = verdictOf(says(true), bundle, NOW, NOW);
  assert.deepEqual([outcome, known, reasons.map(({ code }) => code)], ["manual", false, ["rule.error"]]);
});
