import assert from "node:assert/strict";
import { test } from "node:test";

import { paperFor, paperProblem, withPaper } from "../../src/motma/scanner/along.js";
import { newScan } from "../../src/motma/scanner/checks.js";
import { viewOf } from "../../src/motma/scanner/verdict.js";

const NOW = Date.UTC(2026, 10, 22, 14, 20, 5, 678);
const CODE = "NCFOXN%TSMAHN-H9QC%.$ /:*+" + "6BFOXN%TS3DH0YOJ58S".repeat(6);
const DCC = "HC1:6BFOXN%TS3DH0YOJ58S".padEnd(300, "A1");
const WORDS = { vi: "vi", en: "en" };
const bytes = (fill) => new Uint8Array(10).fill(fill);
const scan = () => newScan({ code: CODE }, NOW, bytes(7));
const reason = (code) => ({ code, words: WORDS, cure: WORDS });
const view = (outcome, codes, more = {}, lang = "vi") =>
  viewOf(
    {
      kind: "verdict",
      scan: scan(),
      verdict: {
        outcome,
        known: true,
        reasons: codes.map(reason),
        citizen: { qid: "1", name: "A B", birth_date: "1990-01-01", last_four: "1234" },
        refer: null,
        valid_until: null,
        ...more,
      },
    },
    lang,
  );

test("the same person again: a new scan, of when the code was scanned, with the paper", () => {
  const first = scan();
  const again = withPaper(first, "certificate", DCC, NOW + 9000, bytes(8));
  assert.deepEqual(Object.keys(again).sort(), ["also", "code", "id", "scanned_at"]);
  assert.notEqual(again.id, first.id);
  assert.deepEqual([again.code, again.also, again.scanned_at], [CODE, [DCC], first.scanned_at]);
  const typed = withPaper(newScan({ qid: "999" }, NOW, bytes(1)), "permit", "PERMIT", NOW, bytes(2));
  assert.deepEqual([typed.qid, typed.also, "code" in typed], ["999", ["PERMIT"], false]);
});

test("one paper of each kind: a second certificate replaces the first, a permit stands beside it", () => {
  const one = withPaper(scan(), "certificate", DCC, NOW, bytes(8));
  const two = withPaper(one, "certificate", `${DCC}X`, NOW, bytes(9));
  const three = withPaper(two, "permit", "PERMIT", NOW, bytes(10));
  assert.deepEqual([one.also, two.also, three.also], [[DCC], [`${DCC}X`], [`${DCC}X`, "PERMIT"]]);
  assert.ok([one, two, three].every(({ also, id }) => also.length <= 2 && id !== scan().id));
});

test("another person's scan knows nothing of it", () => {
  withPaper(scan(), "certificate", DCC, NOW, bytes(8));
  assert.ok(!("also" in scan()));
  assert.deepEqual(withPaper(scan(), "permit", "P", NOW, bytes(9)).also, ["P"]);
});

test("what is no paper is not sent", () => {
  assert.equal(paperProblem(DCC, scan()), null);
  assert.equal(paperProblem("https://example.org", scan()), null, "what it is, the server says");
  assert.equal(paperProblem(`${CODE}\r\n`, scan()), "paper.same");
  assert.equal(paperProblem(CODE.replace("OXN", "XXN"), scan()), "paper.ours");
  assert.equal(paperProblem("521322923144321717", scan()), "paper.ours");
});

test("a reason asks for its paper", () => {
  const codes = ["certificate.none", "permit.expired", "certificates", "code.forged", "permit"];
  assert.deepEqual(codes.map(paperFor), ["certificate", "permit", null, null, null]);
});

test("the big button scans what the first reason that a paper answers asks for", () => {
  for (const [outcome, codes, action] of [
    ["manual", ["certificate.none"], "certificate"],
    ["reject", ["certificate.none"], "certificate"],
    ["manual", ["permit.none"], "permit"],
    ["manual", ["permit.none", "certificate.none"], "permit"],
    ["manual", ["proof.static", "certificate.none"], "certificate"],
    ["manual", ["identity.repairable", "certificate.none"], "repair"],
    ["manual", ["certificate.none", "identity.repairable"], "certificate"],
    ["reject", ["health.symptoms", "certificate.none"], "next"],
    ["accept", ["certificate.old"], "next"],
    ["refer", ["diversion.open", "certificate.none"], "next"],
    ["manual", ["proof.static"], "next"],
  ]) {
    assert.equal(view(outcome, codes).action, action, `${outcome} ${codes}`);
  }
});

test("what was shown along is said under the verdict, in the officer's language", () => {
  const along = [
    { kind: "dcc", worth: "good", fits: false, words: { vi: "Chứng nhận: của người khác.", en: "Certificate: another's." } },
    { kind: "cccd", worth: "plain", words: { vi: "Thẻ.", en: "Card." } },
  ];
  assert.equal(view("manual", ["certificate.none"], { along }).note, "Chứng nhận: của người khác. Thẻ.");
  assert.equal(view("accept", [], { along }, "en").note, "Certificate: another's. Card.");
  assert.equal(view("accept", [], { along: [] }).note, null);
  assert.equal(view("accept", []).note, null, "a server of before says nothing of it");
});
