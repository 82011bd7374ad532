import assert from "node:assert/strict";
import { test } from "node:test";

import { BurstDetector, asPrinted, isOurs } from "../../src/motma/scanner/keyboard.js";

const CODE = "NCFOXN%TSMAHN-H9QC%.$ /:*+" + "6BFOXN%TS3DH0YOJ58S".repeat(6);

/** Type `keys` with `gap` milliseconds between them; returns the answer to each press. */
function type(detector, keys, gap, from = 1000) {
  return keys.map((key, index) => detector.press(key, from + index * (typeof gap === "function" ? gap(index) : gap)));
}

test("a burst that ends with Enter is a scan, whatever keys stand between", () => {
  const keys = [...CODE].flatMap((letter) => (/[A-Z$%*+:]/.test(letter) ? ["Shift", letter] : [letter]));
  const answers = type(new BurstDetector(), [...keys, "Enter"], 4);
  assert.equal(answers.at(-1).scan, CODE);
  assert.ok(answers.slice(3, -1).every(({ burst, scan }) => burst && scan === null));
});

test("spaces at both ends belong to the code", () => {
  const text = `${CODE} `;
  assert.equal(type(new BurstDetector(), [...text, "Enter"], 10).at(-1).scan, text);
});

test("a slow wireless scanner with hiccups is still a scanner, and may end with Tab", () => {
  const detector = new BurstDetector();
  let at = 0;
  [...CODE].forEach((key, index) => detector.press(key, (at += index % 10 === 9 ? 110 : 18)));
  assert.equal(detector.press("Tab", at + 18).scan, CODE);
});

test("a stammer in the middle of a code does not cut it", () => {
  const detector = new BurstDetector();
  [...CODE].forEach((key, index) => detector.press(key, 1000 + index * 6 + (index > 60 ? 400 : 0)));
  assert.equal(detector.press("Enter", 1000 + CODE.length * 6 + 400).scan, CODE);
});

test("a person who types is not a scanner", () => {
  for (const gap of [60, 90, 150]) {
    const answers = type(new BurstDetector(), [..."999199123456789012", "Enter"], gap);
    assert.ok(answers.every(({ burst, scan }) => !burst && scan === null), `${gap} ms`);
  }
});

test("two keys struck together are no scan, and Enter stays Enter", () => {
  const detector = new BurstDetector();
  type(detector, ["1", "2"], 8);
  assert.deepEqual(detector.press("Enter", 1020), { burst: false, scan: null, composed: false });
});

test("what was typed before a burst is not part of it", () => {
  const detector = new BurstDetector();
  type(detector, [..."123"], 200);
  assert.equal(type(detector, [...CODE, "Enter"], 6, 5000).at(-1).scan, CODE);
});

test("two bursts are two scans", () => {
  const detector = new BurstDetector();
  assert.equal(type(detector, [...CODE, "Enter"], 6).at(-1).scan, CODE);
  assert.equal(type(detector, [..."123456789012", "Enter"], 6, 9000).at(-1).scan, "123456789012");
});

test("a burst that an input method swallowed is told, not guessed", () => {
  const keys = [..."NCFOXN", "Process", "Process", ..."TSMA12345", "Enter"];
  assert.deepEqual(type(new BurstDetector(), keys, 6).at(-1), { burst: true, scan: null, composed: true });
});

test("the longest QR code is typed whole", () => {
  const text = "HC1:".padEnd(4296, "6BFOXN");
  assert.equal(type(new BurstDetector(), [...text, "Enter"], 3).at(-1).scan, text);
});

test("ours are told from other codes", () => {
  assert.deepEqual([CODE, ` ${CODE}\n`, `HC1:${CODE}`, "HELLO", ""].map(isOurs), [true, true, false, false, false]);
});

test("Caps Lock is undone for our codes and certificates only", () => {
  assert.equal(asPrinted(`hc1:${CODE.toLowerCase()}`), `HC1:${CODE}`);
  assert.equal(asPrinted(CODE.toLowerCase()), CODE);
  assert.equal(asPrinted(CODE), CODE);
  const foreign = "https://example.org/Qr?t=aBcDeF0123456789".padEnd(90, "x");
  assert.equal(asPrinted(foreign), foreign);
});
