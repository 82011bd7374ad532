// Makes what only an issuer can: status lists, signed by a key of the test's own.

import { deflateSync } from "node:zlib";

import { bstr, concat, hex, toBeSigned } from "../../src/motma/scanner/cose.js";

const P256 = { name: "ECDSA", namedCurve: "P-256" };

/** A new key: { kid, point, sign(bytes) }. */
export async function newKey() {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(P256, true, ["sign", "verify"]);
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
  const kid = hex(point.subarray(1, 9));
  const sign = async (data) => new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, data));
  return { kid, point, sign };
}

/** An entry of a keyring for `key`. */
export function entryOf(key, more = {}) {
  const always = { notBefore: 0, notAfter: null, measures: [], areas: [], revoked: false };
  return { point: key.point, issuer: "motma.test", statusUri: "https://motma.test/v1/status", ...always, ...more };
}

/** A Status List Token in which all `length` codes are valid but for `statuses` (index -> number). Times in ms. */
export async function statusToken(key, { uri, issuedAt, expiresAt = issuedAt + 86_400_000, ttl = 300, length = 2 ** 17, statuses = {} }) {
  const packed = new Uint8Array(length / 4);
  for (const [index, status] of Object.entries(statuses)) packed[index >> 2] |= status << ((index & 3) * 2);
  const list = new Map([["bits", 2], ["lst", new Uint8Array(deflateSync(packed))]]);
  const payload = cbor(new Map([[2, uri], [6, issuedAt / 1000], [4, expiresAt / 1000], [65534, ttl], [65533, list]]));
  const kid = Uint8Array.from(key.kid.match(/../g), (pair) => parseInt(pair, 16));
  const body = cbor(new Map([[1, -7], [4, kid], [16, "application/statuslist+cwt"]]));
  const signature = await key.sign(toBeSigned(body, payload));
  return concat([0xd2, 0x84], bstr(body), [0xa0], bstr(payload), bstr(signature));
}

function cbor(item) {
  if (item instanceof Uint8Array) return bstr(item);
  if (typeof item === "number") return item < 0 ? head(1, -1 - item) : head(0, item);
  if (typeof item === "string") return concat(head(3, Buffer.byteLength(item)), Buffer.from(item));
  return concat(head(5, item.size), ...[...item].flatMap(([key, value]) => [cbor(key), cbor(value)]));
}

function head(type, number) {
  if (number < 24) return [(type << 5) | number];
  const bytes = new DataView(new ArrayBuffer(5));
  bytes.setUint8(0, (type << 5) | 26);
  bytes.setUint32(1, number);
  return new Uint8Array(bytes.buffer);
}

/** A store in memory, as belief.js wants one. */
export function memory(held = {}) {
  return {
    held,
    get: async (name) => held[name],
    put: async (name, value) => void (held[name] = value),
    replace: async (values) => {
      for (const name of Object.keys(held)) delete held[name];
      Object.assign(held, values);
    },
  };
}
