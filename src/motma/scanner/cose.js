// COSE_Sign1 (RFC 9052) and CBOR (RFC 8949), for codes, status lists and lists of trust. ES256 only, by WebCrypto.
//
// What a CBOR item becomes: integers are numbers (bigints where a number would not be exact), texts strings, byte
// strings Uint8Array, arrays Array, maps Map (keys as decoded; find integers by number), true, false and null
// themselves, and everything else an object that nothing mistakes for another: Odd.
//
// cborg reads the heads and the plain items. The tree is built here, because its own lets through what we refuse:
// text that is not UTF-8, a key twice when it is bytes, any depth; and it takes 5.0 for 5.

import { Tokeniser } from "./static/vendor/cborg/decode.js";

export const ALG = 1;
export const CRIT = 2;
export const KID = 4;
export const TYP = 16;
export const ES256 = -7;

const TAG_SIGN1 = 18;
const TAG_CWT = 61;
const READING = { allowIndefinite: false, allowUndefined: true, allowBigInt: true, retainStringBytes: true };
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A float, `undefined` or tagged item: there, and of no use to us. `tag` and `value` where it has them. */
export class Odd {
  constructor(value, tag = null) {
    this.value = value;
    this.tag = tag;
  }
}

/** Bytes that are not what they should be. `why`: "malformed" | "too_deep" | "key_twice". */
export class CborError extends Error {
  constructor(why) {
    super(why);
    this.why = why;
  }
}

/** One CBOR item, all of `bytes`, nested at most `maxDepth`. Throws CborError, and nothing else. */
export function decodeCbor(bytes, maxDepth = 16) {
  try {
    const tokens = new Tokeniser(bytes, READING);
    const item = itemOf(tokens, maxDepth);
    if (!tokens.done()) throw new CborError("malformed");
    return item;
  } catch (error) {
    throw error instanceof CborError ? error : new CborError("malformed");
  }
}

function itemOf(tokens, depth) {
  if (tokens.done()) throw new CborError("malformed");
  const { type, value, byteValue } = tokens.next();
  switch (type.name) {
    case "string":
      return byteValue?.some((byte) => byte > 127) ? UTF8.decode(byteValue) : value;
    case "float":
    case "undefined":
      return new Odd(value);
    case "array":
    case "map":
    case "tag":
      if (depth === 0) throw new CborError("too_deep");
      if (type.name === "tag") return new Odd(itemOf(tokens, depth - 1), value);
      return type.name === "array" ? arrayOf(tokens, value, depth - 1) : mapOf(tokens, value, depth - 1);
    default:
      return value;
  }
}

function arrayOf(tokens, length, depth) {
  const items = [];
  for (let i = 0; i < length; i++) items.push(itemOf(tokens, depth));
  return items;
}

function mapOf(tokens, length, depth) {
  const map = new Map();
  let odd = null; // the bytes of keys that two objects can be equal to
  for (let i = 0; i < length; i++) {
    const start = tokens.pos();
    const key = itemOf(tokens, depth);
    let isTwice = map.has(key);
    if (key !== null && typeof key === "object") {
      odd ??= new Set();
      const bytes = String(tokens.data.subarray(start, tokens.pos()));
      isTwice = odd.has(bytes);
      odd.add(bytes);
    }
    if (isTwice) throw new CborError("key_twice");
    map.set(key, itemOf(tokens, depth));
  }
  return map;
}

/**
 * Take a COSE_Sign1 apart, nothing verified: { protected, headers, unprotected, payload, signature, kids }. `headers`
 * are the protected ones, decoded; `kids` the id of the key, from the protected header if there is one. Untagged,
 * tagged 18, or that in a CWT tag; critical headers are refused, since none is understood. Throws CborError.
 */
export function parseSign1(bytes, maxBytes = 1 << 20) {
  if (bytes.length > maxBytes) throw new CborError("malformed");
  let item = decodeCbor(bytes);
  for (let i = 0; i < 2 && item instanceof Odd && (item.tag === TAG_SIGN1 || item.tag === TAG_CWT); i++) item = item.value;
  if (!Array.isArray(item) || item.length !== 4) throw new CborError("malformed");
  const [body, unprotected, payload, signature] = item;
  if (![body, payload, signature].every((part) => part instanceof Uint8Array)) throw new CborError("malformed");
  const headers = body.length ? decodeCbor(body) : new Map();
  if (!(headers instanceof Map) || !(unprotected instanceof Map) || headers.has(CRIT)) throw new CborError("malformed");
  const kid = headers.has(KID) ? headers.get(KID) : unprotected.get(KID); // what is signed wins, even if of no use
  return { protected: body, headers, unprotected, payload, signature, kids: kid instanceof Uint8Array ? [kid] : [] };
}

/** Whether `sign1`, of parseSign1, is signed by the key: ES256 and no other algorithm. `key`: what importKey gives. */
export async function holds(key, sign1) {
  const algorithm = sign1.headers.has(ALG) ? sign1.headers.get(ALG) : sign1.unprotected.get(ALG);
  return algorithm === ES256 && verifies(key, sign1.signature, toBeSigned(sign1.protected, sign1.payload));
}

/** Sig_structure of RFC 9052, section 4.4, with an empty external_aad. */
export function toBeSigned(body, payload) {
  return concat(SIGNATURE1, bstr(body), [0x40], bstr(payload));
}

const SIGNATURE1 = [0x84, 0x6a, ...new TextEncoder().encode("Signature1")];

/** `data` as a CBOR byte string, its head as short as it can be. */
export function bstr(data) {
  const { length } = data;
  if (length < 24) return concat([0x40 + length], data);
  if (length < 0x100) return concat([0x58, length], data);
  if (length < 0x10000) return concat([0x59, length >> 8, length & 0xff], data);
  return concat([0x5a, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff], data);
}

/** Parts (arrays of bytes) one after another. */
export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

// ---------------------------------------------------------------- ES256 (RFC 9053, section 2.1)

const P256 = { name: "ECDSA", namedCurve: "P-256" };
const WITH_SHA256 = { name: "ECDSA", hash: "SHA-256" };

/** A P-256 public key for WebCrypto, from its point: 65 bytes, or 33 compressed. null if that is no point. */
export async function importKey(point) {
  const whole = point.length === 33 ? decompress(point) : point;
  if (whole === null) return null;
  return crypto.subtle.importKey("raw", whole, P256, false, ["verify"]).catch(() => null);
}

/** Whether r‖s, 64 bytes, is the key's signature over `data`. */
export async function verifies(key, signature, data) {
  return signature.length === 64 && crypto.subtle.verify(WITH_SHA256, key, signature, data);
}

const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/** The 65 bytes of a compressed point (SEC 1, section 2.3.4), or null: no browser's WebCrypto takes the 33. */
function decompress(point) {
  const sign = point[0] - 2;
  const x = BigInt(`0x${hex(point.subarray(1))}`);
  if ((sign !== 0 && sign !== 1) || x >= P) return null;
  const square = (((x * x - 3n) * x + B) % P + P) % P; // y² = x³ - 3x + b
  let y = power(square, (P + 1n) / 4n); // the root, since p = 3 mod 4
  if ((y * y) % P !== square) return null;
  if (Number(y & 1n) !== sign) y = P - y;
  return concat([4], point.subarray(1), bytesOf(y.toString(16).padStart(64, "0")));
}

function power(base, exponent) {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % P;
    if (bit === "1") result = (result * base) % P;
  }
  return result;
}

const PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Bytes in hexadecimal, lower case. */
export function hex(bytes) {
  let digits = "";
  for (const byte of bytes) digits += PAIRS[byte];
  return digits;
}

/** The bytes of hexadecimal digits. */
export function bytesOf(digits) {
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}
