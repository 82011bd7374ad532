// The vectors were made by core/ids.py.

import assert from "node:assert/strict";
import { test } from "node:test";

import { digitsOf, groupQid, newFactId, plateOf, qidProblem } from "../../src/motma/scanner/ids.js";

const random = () => crypto.getRandomValues(new Uint8Array(10));

test("ids are those of the server", () => {
  const bytes = Uint8Array.from({ length: 10 }, (_, index) => index);
  assert.equal(newFactId("scn", 1795357205678, bytes), "scn_01m81t1s5e000g40r40m30e209");
  assert.equal(newFactId("scn", 0, new Uint8Array(10).fill(255)), "scn_0000000000zzzzzzzzzzzzzzzz");
});

test("ids keep the order of their births, and are never the same", () => {
  const ids = Array.from({ length: 5000 }, (_, index) => newFactId("scn", 1795357205678 + index, random()));
  assert.deepEqual([...ids].sort(), ids);
  assert.ok(ids.every((id) => /^scn_[0-7][0-9a-hjkmnp-tv-z]{25}$/.test(id)));
  const sameMoment = new Set(Array.from({ length: 5000 }, () => newFactId("scn", 1795357205678, random())));
  assert.equal(sameMoment.size, 5000);
});

const QIDS = [
  "100000000000000004",
  "765863950088369013",
  "531727900176738024",
  "297591850265107034",
  "963455800353476042",
  "729319750441845053",
];

test("check digits agree with the server's", () => {
  for (const qid of QIDS) {
    assert.equal(qidProblem(qid), null, qid);
    for (let digit = 0; digit < 10; digit++) {
      if (String(digit) !== qid[17]) assert.equal(qidProblem(qid.slice(0, 17) + digit), "check_digit");
    }
  }
});

test("every single wrong digit is found", () => {
  const [, qid] = QIDS;
  for (let at = 0; at < 18; at++) {
    for (let digit = 0; digit < 10; digit++) {
      const wrong = qid.slice(0, at) + digit + qid.slice(at + 1);
      assert.equal(qidProblem(wrong), wrong === qid ? null : "check_digit");
    }
  }
});

test("what is not 18 digits is not judged by its check digit", () => {
  for (const text of ["", "1", "76586395008836901", "7658639500883690133", "76586395008836901x"]) {
    assert.equal(qidProblem(text), "short");
  }
});

test("numbers are typed and pasted as people write them", () => {
  assert.equal(digitsOf(" 765863-950088.369013\n"), "765863950088369013");
  assert.equal(digitsOf("765863 950088 3690139"), "765863950088369013");
  assert.equal(groupQid("765863950088369013"), "765863 950088 369013");
  assert.equal(groupQid("7658639"), "765863 9");
  assert.equal(groupQid("765863"), "765863");
});

test("a plate is taken as people write it, and nothing else is one", () => {
  for (const text of ["59-X3 123.45", "59x3 12345", " 59X3–123.45 "]) assert.equal(plateOf(text), "59X312345");
  assert.equal(plateOf("đb 1234"), "ĐB1234");
  for (const text of ["", "xe máy", "ABCDEF", "1".repeat(13), "59X3<12345"]) assert.equal(plateOf(text), null);
});
