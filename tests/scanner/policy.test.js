// The device's judge, on the vectors that the server's is held to; then what neither may do: raise, or pass over what it
// cannot read.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { compileRulebook, judge, reasonsOf } from "../../src/motma/scanner/policy.js";

const read = (path) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"));
const VECTORS = read("vectors/verdicts/documents.json");
const HOUSE = read("vectors/verdicts/house.json");
const REASONS = reasonsOf(HOUSE.reasons);
const SEEN = VECTORS.specimen;

/** A JSON Merge Patch (RFC 7396) over `under`. */
function laidOver(patch, under) {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result = typeof under === "object" && under !== null && !Array.isArray(under) ? { ...under } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = laidOver(value, result[name]);
  }
  return result;
}

const pathOf = (name) => `src/motma/policies/${name}/policy.json`;
const isThere = (name) => existsSync(new URL(`../../${pathOf(name)}`, import.meta.url));

function bookOf(names) {
  const asked = [...new Set(names.length ? names : HOUSE.default)];
  const here = asked.filter(isThere);
  return compileRulebook(here.map((name) => read(pathOf(name))), REASONS, { isComplete: here.length === asked.length });
}

for (const { about, policies, evidence, ...expected } of VECTORS.cases) {
  test(`verdict: ${about}`, () => {
    const { outcome, reasons, known, failed } = judge(laidOver(evidence, SEEN), bookOf(policies));
    const found = { outcome, reasons: reasons.map(({ code }) => code), known, failed };
    const wanted = { failed: [], ...expected };
    assert.deepEqual(found, Object.fromEntries(Object.keys(found).map((name) => [name, wanted[name]])));
  });
}

// ---------------------------------------------------------------- nothing is passed over

const RULE = {
  ...{ id: "a.b", affected: ["standing"], holds: { "!": [{ var: "standing.revoked" }] }, verdict: "reject", reason: "a.reason" },
  ...{ words: ["Không.", "No."], cure: ["Về.", "Home."], tests: [] },
};
const POLICY = { id: "a", version: 1, valid_from: "2021-01-01T00:00:00+07:00", valid_to: null, rules: [RULE] };
const judged = (policies, seen = SEEN, how) => judge(seen, compileRulebook(policies, REASONS, how));
const codes = ({ outcome, reasons, known, failed }) => [outcome, reasons.map(({ code }) => code), known, failed];
const UNSURE = ["manual", ["rule.error"], false];

test("a rule that this device cannot read makes manual, and takes nothing from the others", () => {
  const other = { ...RULE, id: "a.c", reason: "a.other" };
  const strange = {
    "an operation of the future": { holds: { shout: [1] } },
    "no logic": { holds: undefined },
    "a verdict of the future": { verdict: "jail" },
    "no words": { words: ["Không.", ""] },
    "no cure": { cure: null },
    "a name that nobody knows": { unless: ["a"] },
    "known is no truth": { known: "yes" },
    "waives, and is no remark": { waives: ["a"] },
    "a value that there is not, in a place where it must be a date": { holds: { after: [{ var: "values.x" }, { var: "now" }] } },
  };
  for (const [about, change] of Object.entries(strange)) {
    const policy = { ...POLICY, rules: [{ ...RULE, ...change }, other] };
    assert.deepEqual(codes(judged([policy])), [...UNSURE, ["a.b"]], about);
    const revoked = { ...SEEN, standing: { revoked: true } };
    assert.deepEqual(codes(judged([policy], revoked)), ["reject", ["a.other", "rule.error"], true, ["a.b"]], about);
  }
});

test("a policy that cannot be read, or is missing, or clashes, makes everybody be looked at by hand", () => {
  const strange = [null, 17, [], {}, { ...POLICY, valid_from: "tomorrow" }, { ...POLICY, rules: null }, { ...POLICY, unless: 1 }];
  for (const one of [...strange, { ...POLICY, values: 1 }, { ...POLICY, rules: [null] }]) {
    assert.deepEqual(codes(judged([one])), [...UNSURE, []], JSON.stringify(one));
  }
  assert.deepEqual(codes(judged([POLICY], SEEN, { isComplete: false })), [...UNSURE, []]);
  for (const change of [{ id: "a" }, { rules: [{ ...RULE, reason: "a.other" }] }, { rules: [{ ...RULE, id: "a.c" }] }]) {
    const twin = { ...POLICY, id: "twin", rules: [{ ...RULE, id: "twin.b", reason: "twin.reason" }], ...change };
    assert.deepEqual(codes(judged([POLICY, twin])), [...UNSURE, []], JSON.stringify(change));
  }
  assert.deepEqual(codes(judged([POLICY])), ["accept", [], true, []], "the specimen holds");
});

test("a policy counts from its first moment to before its last", () => {
  const policy = { ...POLICY, valid_from: "2026-01-18T14:00:00+07:00", valid_to: "2026-01-18T07:00:00.001Z" };
  const at = (now) => judged([policy], { ...SEEN, now, standing: { revoked: true } }).outcome;
  const times = ["2026-01-18T06:59:59.999Z", "2026-01-18T07:00:00.000Z", "2026-01-18T07:00:00.001Z"];
  assert.deepEqual(times.map(at), ["accept", "reject", "accept"]);
});

test("values are filled in; a remark waives policies before and after, their failures too", () => {
  const values = { kinds: ["truck"] };
  const remark = { ...RULE, id: "lane.open", reason: "lane.open", verdict: "accept", waives: ["a", "z"] };
  const lane = { ...POLICY, id: "lane", values, rules: [{ ...remark, holds: { "!": [{ in: [{ var: "vehicle.kind" }, { var: "values.kinds" }] }] } }] };
  const broken = { ...POLICY, id: "z", rules: [{ ...RULE, id: "z.b", reason: "z.reason", holds: { "!": [{ "+": ["a", 1] }] } }] };
  const seen = (kind) => ({ ...SEEN, vehicle: { kind }, standing: { revoked: true } });
  assert.deepEqual(codes(judged([POLICY, lane, broken], seen("truck"))), ["accept", ["lane.open"], true, []]);
  assert.deepEqual(codes(judged([POLICY, lane, broken], seen("bus"))), ["reject", ["a.reason", "rule.error"], true, ["z.b"]]);
});

test("values may be expressions, and read the ones before them; one that makes no sense spoils the rules that read it", () => {
  const values = { kinds: ["truck"], big: { in: [{ var: "vehicle.kind" }, { var: "values.kinds" }] }, small: { "!": [{ var: "values.big" }] } };
  const holding = (holds, more = values) => judged([{ ...POLICY, values: more, rules: [{ ...RULE, holds }] }], { ...SEEN, vehicle: { kind: "truck" } });
  assert.deepEqual(codes(holding({ var: "values.big" })), ["accept", [], true, []]);
  assert.deepEqual(codes(holding({ var: "values.small" })), ["reject", ["a.reason"], true, []]);
  const backwards = { small: { "!": [{ var: "values.big" }] }, big: values.big, kinds: ["truck"] };
  assert.deepEqual(codes(holding({ var: "values.small" }, backwards)), ["accept", [], true, []], "what comes later is not known yet: null");
  assert.deepEqual(codes(holding({ var: "values.big" }, { big: { shout: [1] } })), [...UNSURE, ["a.b"]]);
});

test("a rule as deep as rules may be is no deeper for being asked whether it is true", () => {
  let holds = { var: "code.verified" };
  for (let depth = 1; depth < 64; depth++) holds = { "!": [holds] };
  assert.equal(judged([{ ...POLICY, rules: [{ ...RULE, holds }] }]).outcome, "reject");
  assert.deepEqual(codes(judged([{ ...POLICY, rules: [{ ...RULE, holds: { "!": [holds] } }] }])), [...UNSURE, ["a.b"]]);
});

test("nobody is sent on where there is no place to go on to", () => {
  const refer = { ...POLICY, rules: [{ ...RULE, verdict: "refer" }] };
  const seen = (open) => ({ ...SEEN, standing: { revoked: true }, diversion: open === undefined ? null : { open } });
  assert.deepEqual([true, false, null, undefined].map((open) => judged([refer], seen(open)).outcome), ["refer", "manual", "manual", "manual"]);
});

test("whatever is no evidence lets nobody through, and raises nothing", () => {
  for (const seen of [null, 17, "x", [], {}, { now: null }, { now: 1 }, { now: {} }]) {
    assert.deepEqual(codes(judged([POLICY], seen)), [...UNSURE, []], JSON.stringify(seen));
  }
  const asRead = { ...POLICY, rules: [{ id: "a.read", affected: ["code.problem"], holds: { "!": [{ var: "code.problem" }] }, reason: "code.*", tests: [] }] };
  const shown = (problem) => codes(judged([asRead], { ...SEEN, code: { problem } }));
  assert.deepEqual(shown("code.forged"), ["reject", ["code.forged"], true, []]);
  for (const problem of ["code.of_the_future", "toString", "__proto__", 17, {}, ["x"]]) {
    const [outcome, reasons] = shown(problem);
    if (reasons.length) assert.deepEqual([outcome, reasons], ["manual", ["code.not_ours"]], JSON.stringify(problem));
    else assert.deepEqual(problem, {}, "an empty object is false");
  }
});
