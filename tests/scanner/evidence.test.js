// The document that rules read of a code that nobody could be asked about.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { evidenceOf } from "../../src/motma/scanner/evidence.js";

const { specimen } = JSON.parse(readFileSync(new URL("../../vectors/verdicts/documents.json", import.meta.url), "utf8"));
const NOW = Date.parse("2026-01-18T07:00:00.000Z");
const MINUTE = 60_000;
const CODE = {
  ...{ live: "live", matched: true, worth: "accept", issuedAt: NOW - 60 * MINUTE },
  ...{ validFrom: NOW - 60 * MINUTE, validUntil: NOW + 71 * 60 * MINUTE },
};
const KEYS = { ageMs: 2 * MINUTE, isStale: false, refused: null };
const RULES = {
  measure: { id: "demo-hcmc", by_hand: ["stale"] },
  checkpoint: { id: "g04-ba-lang", kind: "gateway", area: "binh-chanh" },
  confirmedAt: NOW - 3 * MINUTE,
};

const about = ({ code = {}, status = {}, keys = {}, rules = {}, now = NOW } = {}) => {
  const list = { said: "valid", code: null, refused: null, ageMs: MINUTE, isStale: false, ...status };
  return evidenceOf({ problem: null, code: { ...CODE, ...code }, status: list, keys: { ...KEYS, ...keys } }, { ...RULES, ...rules }, now);
};
const problem = (code) => evidenceOf({ problem: code, code: null, status: null, keys: KEYS }, RULES, NOW);

test("it says what the server's document says of the same code, but for what only the server knows", () => {
  const times = { keys: "2026-01-18T06:58:00.000Z", status: "2026-01-18T06:59:00.000Z", rules: "2026-01-18T06:57:00.000Z" };
  assert.deepEqual(about(), {
    ...specimen,
    code: { ...specimen.code, superseded: null, somebody_else: null },
    trip: null,
    vehicle: { kind: null, green_lane: null },
    diversion: { open: null },
    as_of: { standing: null, ...times },
  });
});

test("the declaration is what the code says of it", () => {
  const said = (code) => [about({ code }).declaration.grade, about({ code }).declaration.health];
  assert.deepEqual(said({}), ["matched", "clear"]);
  assert.deepEqual(said({ worth: "manual" }), ["matched", "contact"]);
  assert.deepEqual(said({ worth: "reject" }), ["matched", "symptoms"]);
  assert.deepEqual(said({ matched: false, worth: "manual" }), ["pending", "clear"]);
  assert.deepEqual(said({ matched: false, worth: "reject" }), ["pending", "symptoms"]);
});

test("what became of the code comes from a list that is good; one that is over says nothing", () => {
  const said = (status) => {
    const { standing, code, as_of } = about({ status });
    return [standing.revoked, standing.suspended, code.check_again, as_of.status !== null];
  };
  assert.deepEqual(said({}), [false, false, false, true]);
  assert.deepEqual(said({ said: "revoked" }), [true, false, false, true]);
  assert.deepEqual(said({ said: "suspended" }), [false, true, false, true]);
  assert.deepEqual(said({ said: "check_again" }), [false, false, true, true]);
  assert.deepEqual(said({ said: "revoked", isStale: true }), [true, false, false, true], "stale is told by its time");
  for (const code of ["status.expired", "status.missing", "status.elsewhere", "trustlist.mixed"]) {
    assert.deepEqual(said({ said: "revoked", code }), [null, null, null, false], code);
  }
});

test("keys are as old as they are; a list of trust that is over confirms nothing", () => {
  assert.equal(about({ keys: { isStale: true } }).as_of.keys, null);
  assert.equal(about({ keys: { ageMs: null } }).as_of.keys, null);
  assert.equal(about({ rules: { confirmedAt: null } }).as_of.rules, null);
});

test("what could not be read has a problem, and nobody's standing", () => {
  const { code, standing, declaration, as_of } = problem("code.forged");
  assert.deepEqual([code.problem, code.verified, code.liveness, code.until, code.of_declaration], ["code.forged", false, null, null, false]);
  assert.deepEqual([standing, declaration, as_of.status], [null, null, null]);
  assert.deepEqual(Object.keys(code).sort(), Object.keys(specimen.code).sort());
});

test("minutes are Vietnam's, and a checkpoint that no network knows is none", () => {
  const minute = (text) => about({ now: Date.parse(text) }).clock.minute;
  assert.deepEqual(["2026-01-18T16:59:59.999Z", "2026-01-18T17:00:00Z", "2026-01-18T07:00:00Z"].map(minute), [1439, 0, 840]);
  assert.equal(about({ rules: { checkpoint: { id: "x", kind: null, area: null } } }).checkpoint, null);
});
