// The status of codes, judged on the device: the twin of core/status.py. Token Status List
// (draft-ietf-oauth-status-list-21), CWT form, two bits to a code. Both are held to vectors/status/lists.json.
//
//   keyring   as in code.js; `statusUri` of a key is where the lists of its issuer stand, empty if it has none.
//
// A list is { bits, packed }; a token { uri, issuer, issuedAt, expiresAt, ttlMs, list, fetchedAt }. All times are ms
// since 1970. Fetching and keeping tokens is for others: hand the one that is kept back as `previous`.

import { CborError, decodeCbor, hex, holds, importKey, parseSign1, TYP } from "./cose.js";

export const MEDIA_TYPE = "application/statuslist+cwt";
export const LIST_INDEXES = 2 ** 24;
/** What a list says of a code: by number, its name. */
export const STATUSES = ["valid", "revoked", "suspended", "check_again"];
/** Nothing longer is looked at. */
export const TOKEN_MAX_BYTES = 2 ** 23;

const INFLATED_MAX_BYTES = 2 ** 24;
const CONTENT_MAX_DEPTH = 16;
const SKEW_MS = 300_000;
const TAGGED_SIGN1 = 0xd2;
const SUB = 2;
const EXP = 4;
const IAT = 6;
const STATUS_LIST = 65533;
const TTL = 65534;

/** Why a list is not taken, or says nothing: `code` as in core/status.py. */
export class StatusError extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** Where the list stands that covers `statusIndex`. */
export function listUri(statusUri, statusIndex) {
  return `${statusUri.replace(/\/+$/, "")}/${Math.floor(statusIndex / LIST_INDEXES)}`;
}

/**
 * The list if, and only if, it may take the place of `previous`, the token last taken for `uri` (null: none yet).
 * `issuer` is whose code is asked about, if that is known. Throws StatusError, and nothing else.
 */
export async function verifyStatusToken(raw, keyring, { uri, nowMs, previous = null, issuer = null }) {
  const envelope = opened(raw);
  if (envelope.headers.get(TYP) !== MEDIA_TYPE) throw new StatusError("status.wrong_type");
  const key = await keyOf(envelope, keyring, uri, issuer);
  const token = await parse(envelope.payload, key.issuer, nowMs); // signature before content
  need(token.uri === uri, "status.wrong_uri");
  need(token.issuedAt >= key.notBefore && (key.notAfter === null || token.issuedAt <= key.notAfter), "status.key_out_of_time");
  need(nowMs < token.expiresAt, "status.expired");
  need(nowMs >= token.issuedAt - SKEW_MS, "status.not_yet");
  if (previous) {
    need(token.issuedAt >= previous.issuedAt, "status.rolled_back");
    need(lengthOf(token.list) >= lengthOf(previous.list), "status.shrunk"); // an index never goes
  }
  return token;
}

/**
 * What `token` says of the code that carries `statusIndex`: one of STATUSES. A value that nobody defined means: ask the
 * server. Throws StatusError "status.missing" without a token, and for an index beyond its end.
 */
export function statusOf(token, statusIndex) {
  if (!token) throw new StatusError("status.missing");
  return STATUSES[statusAt(token.list, statusIndex % LIST_INDEXES)] ?? "check_again";
}

/** Whether a newer one should have been fetched by now, or the clock makes no sense; no error by itself. */
export function isStale(token, nowMs) {
  return !(nowMs >= token.fetchedAt && nowMs < token.fetchedAt + token.ttlMs);
}

/** The same token, after the server said that it has no newer one (304). */
export function confirmed(token, nowMs) {
  return { ...token, fetchedAt: nowMs };
}

/** How many codes a list speaks of. */
export function lengthOf({ bits, packed }) {
  return (packed.length * 8) / bits;
}

/** The number at `index` of a list. Throws StatusError "status.missing" beyond its end. */
export function statusAt(list, index) {
  need(index >= 0 && index < lengthOf(list), "status.missing");
  const perByte = 8 / list.bits;
  return (list.packed[Math.floor(index / perByte)] >> ((index % perByte) * list.bits)) & (2 ** list.bits - 1);
}

/** A list from what stands in a token, or alone as CBOR after decodeCbor: a Map of "bits" and "lst". */
export async function unpack(said) {
  const bits = said instanceof Map && said.get("bits");
  const squeezed = said instanceof Map && said.get("lst");
  need([1, 2, 4, 8].includes(bits) && squeezed instanceof Uint8Array);
  return { bits, packed: await inflate(squeezed) };
}

function opened(raw) {
  try {
    need(raw[0] === TAGGED_SIGN1); // neither untagged nor in a CWT tag (draft, section 5.2)
    return parseSign1(raw, TOKEN_MAX_BYTES);
  } catch (error) {
    throw unreadable(error);
  }
}

// A kid is a hint: every key that bears it is tried.
async function keyOf(envelope, keyring, uri, issuer) {
  const bearing = envelope.kids.flatMap((kid) => keyring.get(hex(kid)) ?? []);
  need(bearing.length, "status.unknown_key");
  let key = null;
  for (const one of bearing) {
    const cryptoKey = key ? null : await importKey(one.point);
    if (cryptoKey && (await holds(cryptoKey, envelope))) key = one;
  }
  need(key, "status.forged");
  need(!key.revoked, "status.revoked_key");
  const isTheirs = key.statusUri && uri.slice(0, uri.lastIndexOf("/")) === key.statusUri.replace(/\/+$/, "");
  need(isTheirs && (issuer === null || issuer === key.issuer), "status.wrong_issuer");
  return key;
}

async function parse(payload, issuer, nowMs) {
  let claims;
  try {
    claims = decodeCbor(payload, CONTENT_MAX_DEPTH);
  } catch (error) {
    throw unreadable(error);
  }
  need(claims instanceof Map);
  const uri = claims.get(SUB);
  const issuedAt = moment(claims.get(IAT));
  const expiresAt = moment(claims.get(EXP)); // without an end it would be good for whoever keeps us from fetching another
  const ttl = claims.has(TTL) ? claims.get(TTL) : (expiresAt - issuedAt) / 1000;
  need(typeof uri === "string" && Number.isInteger(ttl) && ttl > 0 && ttl < 2 ** 32 && expiresAt > issuedAt);
  const list = await unpack(claims.get(STATUS_LIST));
  return { uri, issuer, issuedAt, expiresAt, ttlMs: ttl * 1000, list, fetchedAt: nowMs };
}

function moment(seconds) {
  need(typeof seconds === "number" && seconds >= 0 && seconds < 2 ** 33);
  return seconds * 1000;
}

// Pieces are counted as they come, so a bomb costs no more than the cap.
async function inflate(squeezed) {
  const stream = new DecompressionStream("deflate");
  const writer = stream.writable.getWriter();
  // Both fail when the stream does, and that is told by read() below.
  writer.write(squeezed).catch(() => {});
  writer.close().catch(() => {});
  const reader = stream.readable.getReader();
  const pieces = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
      if (length > INFLATED_MAX_BYTES) {
        reader.cancel().catch(() => {});
        need(false);
      }
      pieces.push(value);
    }
  } catch (error) {
    throw unreadable(error);
  }
  const packed = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    packed.set(piece, at);
    at += piece.length;
  }
  return packed;
}

function need(holds, code = "status.unreadable") {
  if (!holds) throw new StatusError(code);
}

/** The error of ours for what cose.js and the decompressor throw at bad bytes; a mistake of ours stays what it is. */
function unreadable(error) {
  const isOfBytes = error instanceof CborError || error instanceof TypeError || error?.code?.startsWith?.("Z_");
  return isOfBytes ? new StatusError("status.unreadable") : error;
}
