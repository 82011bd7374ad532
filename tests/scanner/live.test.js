// The live code of the holder's page (web/static/live.js), held to the vectors that the server's verifier reads.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { deflateSync, inflateSync } from "node:zlib";

import { compressed, decode45, encode45, isBoundTo, openCode, toBeSigned, withProof } from "../../src/motma/web/static/live.js";

const { cases } = JSON.parse(readFileSync(new URL("../../vectors/code/codes.json", import.meta.url)));
const proven = cases.find(({ claims }) => claims?.proof_at);
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" };
const PROOF_BYTES = 82;
const seconds = proven.claims.proof_at;

const coseOf = (text) => inflateSync(decode45(text));
const stored = (cose) => encode45(deflateSync(cose, { level: 0 }));
const hex = (bytes) => Buffer.from(bytes).toString("hex");

/** The bound code of a vector without its proof, in the one form that our issuer writes. */
function bare() {
  const cose = coseOf(proven.text);
  return stored(Buffer.concat([cose.subarray(0, 16), Buffer.from([0xa0]), cose.subarray(16 + PROOF_BYTES)]));
}

test("the proof of a vector, put in its place, gives the bytes of the vector", () => {
  const cose = coseOf(proven.text);
  const text = withProof(openCode(bare()), seconds, cose.subarray(16 + PROOF_BYTES - 64, 16 + PROOF_BYTES));
  assert.equal(hex(coseOf(text)), hex(cose));
});

test("what is signed is what the vector's holder signed", async () => {
  const code = openCode(bare());
  const cose = coseOf(proven.text);
  const at = cose.indexOf(Buffer.from("08a101a401022001215820", "hex"));
  const x = cose.subarray(at + 11, at + 43);
  const point = Uint8Array.from([cose[at + 44] === 0xf5 ? 3 : 2, ...x]);
  assert.ok(isBoundTo(code, point));
  assert.ok(!isBoundTo(code, Uint8Array.from([5 - point[0], ...x])), "the same x on the other side of the curve");
  const key = await crypto.subtle.importKey("raw", uncompressed(point), { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
  const proof = cose.subarray(16 + PROOF_BYTES - 64, 16 + PROOF_BYTES);
  assert.ok(await crypto.subtle.verify(SIGNATURE, key, proof, toBeSigned(code, seconds)));
  assert.ok(!(await crypto.subtle.verify(SIGNATURE, key, proof, toBeSigned(code, seconds + 30))));
});

test("a code of another shape is left alone", () => {
  const good = bare();
  assert.ok(openCode(good));
  const cose = coseOf(good);
  for (const text of [
    "",
    "a",
    "HELLO",
    good.toLowerCase(),
    good.slice(0, -3),
    good + "00",
    proven.text, // it has a proof already
    encode45(Uint8Array.from(decode45(good), (byte, at) => (at === 2 ? 3 : byte))), // squeezed: our issuer only stores
    stored(cose.subarray(1)),
    stored(Buffer.concat([Buffer.from([0xd1]), cose.subarray(1)])),
  ]) {
    assert.equal(openCode(text), null);
  }
});

test("every code that our issuer writes opens", () => {
  const plain = cases.filter(({ claims }) => claims && !claims.proof_at);
  assert.ok(plain.length > 3);
  for (const { about, text } of plain) assert.ok(openCode(stored(coseOf(text))), about);
});

test("base45 as RFC 9285 has it", () => {
  for (const [plain, text] of [["AB", "BB8"], ["Hello!!", "%69 VD92EX0"], ["base-45", "UJCLQE7W581"], ["ietf!", "QED8WEX0"], ["", ""]]) {
    assert.equal(encode45(new TextEncoder().encode(plain)), text);
    assert.equal(new TextDecoder().decode(decode45(text)), plain);
  }
  for (const wrong of ["GGW", ":::", "A", "ab", "0000", "é00"]) assert.equal(decode45(wrong), null);
});

test("a point is compressed to its x and the side it is on", () => {
  const point = Uint8Array.from([4, ...Array(32).fill(7), ...Array(31).fill(9), 3]);
  assert.deepEqual([...compressed(point)], [3, ...Array(32).fill(7)]);
});

/** y² = x³ - 3x + b, and p = 3 mod 4, so a root is one power away. */
function uncompressed(point) {
  const p = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
  const b = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
  const x = BigInt(`0x${hex(point.subarray(1))}`);
  let [root, power, exponent] = [1n, (((x * x * x - 3n * x + b) % p) + p) % p, (p + 1n) / 4n];
  for (; exponent; exponent >>= 1n) {
    if (exponent & 1n) root = (root * power) % p;
    power = (power * power) % p;
  }
  const y = (root & 1n) === BigInt(point[0] & 1) ? root : p - root;
  return Buffer.from(`04${hex(point.subarray(1))}${y.toString(16).padStart(64, "0")}`, "hex");
}
