import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { deflateSync, inflateSync } from "node:zlib";

import { decodeBase45 } from "../../src/motma/scanner/base45.js";
import { codeSays, CodeError, liveness, verifyCode } from "../../src/motma/scanner/code.js";
import { keyringOf, judged } from "./vectors.js";

const VECTORS = JSON.parse(readFileSync(new URL("../../vectors/code/codes.json", import.meta.url), "utf8"));
const RING = keyringOf(VECTORS.keys);

for (const { about, text, ...expected } of VECTORS.cases) {
  test(`code: ${about}`, async () => assert.deepEqual(await judged(verifyCode, text, RING), expected));
}

test("there are codes to say yes to, and twice as many to say no to", () => {
  const good = VECTORS.cases.filter((one) => one.claims).length;
  assert.ok(good >= 20 && VECTORS.cases.length >= 3 * good);
});

test("every bit of a code matters", async () => {
  const { text, about } = VECTORS.cases.find((one) => one.claims?.proof_at);
  const whole = new Uint8Array(inflateSync(decodeBase45(text)));
  for (let bit = 0; bit < whole.length * 8; bit += 5) {
    const other = whole.slice();
    other[bit >> 3] ^= 1 << (bit & 7);
    const { code } = await judged(verifyCode, encodeBase45(deflateSync(other)), RING);
    assert.ok(code?.startsWith("code."), `${about}, bit ${bit}: ${code}`);
  }
});

test("nothing that is read makes it fail otherwise than by a reason", async () => {
  const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
  let seed = 1;
  const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
  const good = VECTORS.cases.filter((one) => one.claims).map((one) => one.text);
  for (let i = 0; i < 400; i++) {
    let text = good[random(good.length)];
    for (let n = 1 + random(3); n > 0; n--) {
      const at = random(text.length);
      text = text.slice(0, at) + letters[random(45)] + text.slice(at + random(3));
    }
    await verifyCode(text, RING).catch((error) => assert.ok(error instanceof CodeError, String(error)));
  }
});

test("squeezed in any way, it is the same code; with a byte behind it, none", async () => {
  const { text, ...expected } = VECTORS.cases[0];
  const whole = inflateSync(decodeBase45(text));
  for (const level of [0, 1, 6, 9]) {
    const squeezed = deflateSync(whole, { level });
    assert.deepEqual(await judged(verifyCode, encodeBase45(squeezed), RING), { claims: expected.claims });
    for (const bad of [Buffer.concat([squeezed, Buffer.of(0)]), squeezed.subarray(0, -1), wrongSum(squeezed)]) {
      assert.deepEqual(await judged(verifyCode, encodeBase45(bad), RING), { step: 2, code: "code.not_zlib" });
    }
  }
});

test("live for ninety seconds on either side, and as much longer as the clock may be wrong", () => {
  const proofAt = 1_768_723_200_000;
  assert.equal(liveness({ proofAt: null }, proofAt), "static");
  assert.equal(liveness({ proofAt }, proofAt + 90_000), "live");
  assert.equal(liveness({ proofAt }, proofAt - 90_000), "live");
  assert.equal(liveness({ proofAt }, proofAt + 90_001), "stale");
  assert.equal(liveness({ proofAt }, proofAt + 95_000, 5_000), "live");
});

test("what a code says by itself: whom to expect, and whether its time has come or gone", async () => {
  const result = await verifyCode(VECTORS.cases[0].text, RING);
  const { validFrom, validUntil } = result.claims;
  const who = { name: "Tạ Văn Thành", last_four: "3999", birth_date: "1976-02-04", validFrom, validUntil };
  assert.deepEqual(codeSays(result, validFrom), { ...who, when: "valid" });
  assert.deepEqual(codeSays(result, validFrom - 1), { ...who, when: "not_yet" });
  assert.deepEqual(codeSays(result, validUntil), { ...who, when: "expired" });
});

function encodeBase45(data) {
  const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
  let text = "";
  for (let at = 0; at < data.length; at += 2) {
    let number = at + 1 < data.length ? data[at] * 256 + data[at + 1] : data[at];
    for (let n = at + 1 < data.length ? 3 : 2; n > 0; n--, number = Math.floor(number / 45)) text += letters[number % 45];
  }
  return text;
}

function wrongSum(squeezed) {
  const other = Buffer.from(squeezed);
  other[other.length - 1] ^= 1;
  return other;
}
