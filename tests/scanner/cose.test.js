import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { test } from "node:test";

import {
  bstr,
  bytesOf,
  CborError,
  concat,
  decodeCbor,
  hex,
  holds,
  importKey,
  Odd,
  parseSign1,
  toBeSigned,
} from "../../src/motma/scanner/cose.js";

const cbor = (digits, depth) => decodeCbor(bytesOf(digits), depth);

const refused = (digits, why, depth) =>
  assert.throws(() => cbor(digits, depth), (error) => error instanceof CborError && error.why === why, digits);

test("an item is what RFC 8949 says", () => {
  assert.equal(cbor("1903e8"), 1000);
  assert.equal(cbor("3903e7"), -1000);
  assert.equal(cbor("1bffffffffffffffff"), 18446744073709551615n);
  assert.equal(cbor("62c3bc"), "ü");
  assert.equal(cbor("63efbbbf"), "\ufeff"); // a byte order mark is a letter like others
  assert.deepEqual(cbor("43010203"), Uint8Array.of(1, 2, 3));
  assert.deepEqual(cbor("83f5f4f6"), [true, false, null]);
  assert.deepEqual(cbor("a201024103182a"), new Map([[1, 2], [Uint8Array.of(3), 42]]));
});

test("what looks like a number and is none stays odd", () => {
  for (const digits of ["f94500", "fb4014000000000000", "f97e00", "f7", "c249010000000000000000"]) {
    assert.ok(cbor(digits) instanceof Odd, digits);
  }
  assert.equal(cbor("c1190400").tag, 1);
});

test("what is not whole, or more than one item, is refused", () => {
  for (const digits of ["", "18", "6261", "8201", "a101", "0000", "ff", "1c", "9fff", "bfff", "5f4101ff", "f818", "e0"]) {
    refused(digits, "malformed");
  }
  refused("9b000fffffffffffff", "malformed"); // an array of 2^52 items that are not there
  refused("5bffffffffffffffff00", "malformed");
  refused("61ff", "malformed"); // not UTF-8
  refused("63eda080", "malformed"); // half a surrogate pair
});

test("a key twice is refused, however it is written", () => {
  for (const digits of ["a201000100", "a20100180100", "a2416100416100", "a2616100616100", "a2810000810000"]) {
    refused(digits, "key_twice");
  }
  assert.equal(cbor("a201006131f6").size, 2); // 1 and "1"
});

test("depth is bounded and no stack overflows", () => {
  refused("81".repeat(10_000) + "00", "too_deep");
  refused("c1".repeat(10_000) + "00", "too_deep");
  refused("8181810000", "too_deep", 2);
  assert.deepEqual(cbor("818100", 2), [[0]]);
});

test("a compressed point is the same key, and what is not on the curve is none", async () => {
  for (let i = 0; i < 8; i++) {
    const pair = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
    const whole = new Uint8Array(await webcrypto.subtle.exportKey("raw", pair.publicKey));
    const small = concat([2 + (whole[64] & 1)], whole.subarray(1, 33));
    const key = await importKey(small);
    const data = Uint8Array.of(i);
    const signature = await webcrypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, data);
    assert.ok(await webcrypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, data));
  }
  assert.equal(await importKey(concat([2], new Uint8Array(32).fill(255))), null); // x is not below p
  assert.equal(await importKey(concat([5], new Uint8Array(32).fill(1))), null);
  assert.equal(await importKey(concat([4], new Uint8Array(64).fill(1))), null);
  assert.equal(await importKey(new Uint8Array(0)), null);
  const off = (x) => importKey(concat([2], bytesOf(x.toString(16).padStart(64, "0"))));
  const found = await Promise.all(Array.from({ length: 16 }, (_, x) => off(x)));
  assert.ok(found.includes(null) && found.some((key) => key !== null)); // about half of all x have no point
});

test("a COSE_Sign1 is taken apart, and holds under its key only", async () => {
  const pair = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const key = await importKey(new Uint8Array(await webcrypto.subtle.exportKey("raw", pair.publicKey)));
  const body = bytesOf("a2012604420102");
  const payload = new Uint8Array(300).fill(7);
  const made = await webcrypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, toBeSigned(body, payload));
  const signature = new Uint8Array(made);
  const envelope = (...parts) => concat([0x84], bstr(body), [0xa0], bstr(payload), bstr(signature), ...parts);
  for (const tags of ["", "d2", "d83dd2"]) {
    const sign1 = parseSign1(concat(bytesOf(tags), envelope()));
    assert.deepEqual(sign1.payload, payload);
    assert.deepEqual(sign1.kids.map(hex), ["0102"]);
    assert.ok(await holds(key, sign1));
    payload[0] ^= 1; // of our own copy
    assert.ok(await holds(key, sign1));
    assert.ok(!(await holds(key, { ...sign1, payload })));
    assert.ok(!(await holds(key, { ...sign1, headers: new Map([[1, -8]]) })));
    assert.ok(!(await holds(key, { ...sign1, signature: signature.subarray(1) })));
    payload[0] ^= 1;
  }
  const bad = [envelope([0]), concat([0xd1], envelope()), bytesOf("d2d2d28440a04040"), bytesOf("8440a040"), bytesOf("01")];
  for (const bytes of bad) assert.throws(() => parseSign1(bytes), CborError, hex(bytes));
  assert.throws(() => parseSign1(envelope(), 100), CborError);
  assert.throws(() => parseSign1(bytesOf("8443a10280a04040")), CborError); // crit: none is understood
});
