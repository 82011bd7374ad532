// Whom this device believes without a network: the twin of core/trustlist.py, step by step as docs/trust-list.md numbers
// them, with the same codes. Both are held to vectors/trust/lists.json. Below: keeping a list, and fetching the next.
//
//   pins   what the device was given when it was enrolled: { issuer, roots: [{ kid, point }] }, kid in hex, point 65 bytes
//   list   { issuer, version, issuedAt, expiresAt, roots: [{ kid, point, revoked }], keyring, status, raw }: `keyring` as
//          in code.js and status.js; `status` a Map of the address of status lists -> the least time of issue that counts
//
// All times here are ms since 1970.

import { ALG, bstr, CborError, concat, decodeCbor, ES256, hex, importKey, KID, parseSign1, toBeSigned, TYP, verifies } from "./cose.js";

export const MEDIA_TYPE = "application/motma-trustlist+cwt";
export const LIST_MAX_BYTES = 2 ** 18;

const LIFE_MAX_MS = 31 * 86_400_000;
const SKEW_MS = 300_000;
const STEP_MAX = 2 ** 16;
const COSIGNERS_MAX = 8;
const FORMAT = 1;
const VERSION_END = 2 ** 32;
const TIME_END = 2 ** 33;
const TAGGED_SIGN1 = 0xd2;
const COUNTERSIGNATURE = 11;
const ISS = 1;
const EXP = 4;
const IAT = 6;
const LIST = -65538;

/** Why a list is not taken: `code` as in core/trustlist.py. */
export class TrustError extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/**
 * The list in `raw` (bytes) if, and only if, it may take the place of `held`, a list or the pins; `held` itself if it is
 * the same one. Time is never taken to be before `held` was issued. Throws TrustError, and nothing else.
 */
export async function accept(held, raw, nowMs) {
  const envelope = open(raw); // steps 1-2
  const signatures = signaturesOf(envelope);
  await vouched(signatures, held.roots); // step 3
  const offered = await parse(envelope.payload, raw); // step 4
  await signedByItsOwn(signatures[0], offered.roots); // step 5
  need(offered.issuer === held.issuer, "trustlist.wrong_issuer"); // step 6
  const isFirst = held.version === undefined;
  if (!isFirst) need(!goesBack(held, offered), "trustlist.rolled_back"); // step 7
  need(offered.version - (isFirst ? 0 : held.version) <= STEP_MAX, "trustlist.fast_forward"); // step 8
  if (!isFirst) need(isWithin(revokedPoints(held), revokedPoints(offered)), "trustlist.unrevoked"); // step 9
  const latest = isFirst ? nowMs : Math.max(nowMs, held.issuedAt);
  need(latest < offered.expiresAt, "trustlist.expired"); // step 10
  need(offered.issuedAt <= latest + SKEW_MS, "trustlist.not_yet");
  return offered.version === held.version && offered.issuedAt === held.issuedAt ? held : offered;
}

/**
 * Refuses a status list older than `list` says: beside a new list of trust it would hide what was revoked since. It may
 * say so of that list or of all lists of an issuer, by where they begin.
 */
export function judgeStatus(list, uri, issuedAt) {
  for (const address of [uri, uri.slice(0, Math.max(0, uri.lastIndexOf("/")))]) {
    need(issuedAt >= (list.status.get(address) ?? -Infinity), "trustlist.mixed");
  }
}

/** The points of the keys and roots that are revoked, in hex. A kid is a hint, under which another could be put. */
export function revokedPoints({ roots, keyring }) {
  return new Set([...roots, ...[...keyring.values()].flat()].filter((key) => key.revoked).map((key) => hex(key.point)));
}

// ---------------------------------------------------------------- steps 1 and 2: the envelope

function open(raw) {
  need(raw.length <= LIST_MAX_BYTES, "trustlist.too_large");
  const envelope = reading(() => parseSign1(raw, LIST_MAX_BYTES));
  const { headers } = envelope;
  need(headers.get(TYP) === MEDIA_TYPE, "trustlist.wrong_type");
  need(raw[0] === TAGGED_SIGN1 && has(headers, [ALG, KID, TYP]));
  return envelope;
}

/** The list's own signature, then those of earlier roots: { kid, signed, signature }. */
function signaturesOf({ protected: body, headers, unprotected, payload, signature }) {
  const own = signatureOf(headers, toBeSigned(body, payload), signature);
  if (unprotected.size === 0) return [own];
  const listed = unprotected.get(COUNTERSIGNATURE);
  need(unprotected.size === 1 && Array.isArray(listed) && listed.length > 0 && listed.length <= COSIGNERS_MAX);
  const cosignatures = listed.map((item) => {
    need(Array.isArray(item) && item.length === 3 && item[0] instanceof Uint8Array);
    const [theirs, none, cosignature] = item;
    need(none instanceof Map && none.size === 0);
    const theirHeaders = reading(() => decodeCbor(theirs));
    need(theirHeaders instanceof Map && has(theirHeaders, [ALG, KID]));
    // Countersign_structure of RFC 9338, section 3.3, version 2: it covers the root's signature as well.
    const parts = [COUNTERSIGNATURE_V2, bstr(body), bstr(theirs), [0x40], bstr(payload), [0x81], bstr(signature)];
    return signatureOf(theirHeaders, concat(...parts), cosignature);
  });
  return [own, ...cosignatures];
}

const COUNTERSIGNATURE_V2 = [0x86, 0x72, ...new TextEncoder().encode("CounterSignatureV2")];

function signatureOf(headers, signed, signature) {
  const kid = headers.get(KID);
  need(headers.get(ALG) === ES256 && kid instanceof Uint8Array);
  need(signature instanceof Uint8Array && signature.length === 64);
  return { kid: hex(kid), signed, signature };
}

// ---------------------------------------------------------------- steps 3 and 5: whose it is

/** One of the held roots must have signed: alone, or beside a newer root that is not known here yet. */
async function vouched(signatures, roots) {
  const known = signatures.flatMap((one) => bearing(roots, one.kid).map((root) => [one, root]));
  need(known.length, "trustlist.unknown_root");
  for (const [one, root] of known) if (await isOf(root, one)) return;
  throw new TrustError("trustlist.forged");
}

/** Whoever signs a list must be able to sign the next one, or nobody could ever follow it. */
async function signedByItsOwn(own, roots) {
  const signers = bearing(roots, own.kid);
  need(signers.length, "trustlist.stripped_root");
  for (const root of signers) if (await isOf(root, own)) return;
  throw new TrustError("trustlist.forged");
}

function bearing(roots, kid) {
  return roots.filter((root) => root.kid === kid && !root.revoked);
}

async function isOf(root, { signed, signature }) {
  const key = await importKey(root.point);
  return key !== null && verifies(key, signature, signed);
}

// ---------------------------------------------------------------- steps 7 and 9: never back

/** Version first, then time. Two lists of one version and one moment are one list. */
function goesBack(held, offered) {
  for (const [uri, floor] of offered.status) if (floor < (held.status.get(uri) ?? floor)) return true;
  if (offered.version > held.version) return offered.issuedAt < held.issuedAt - SKEW_MS;
  if (offered.version < held.version || offered.issuedAt < held.issuedAt) return true;
  return offered.issuedAt === held.issuedAt && offered.content !== held.content;
}

function isWithin(inner, outer) {
  return [...inner].every((one) => outer.has(one));
}

// ---------------------------------------------------------------- step 4: the content

async function parse(payload, raw) {
  const claims = reading(() => decodeCbor(payload));
  need(claims instanceof Map && has(claims, [ISS, EXP, IAT, LIST]));
  const [form, version, rootItems, keyItems, floors] = items(claims.get(LIST), 5);
  need(number(form, VERSION_END) === FORMAT && floors instanceof Map);
  const issuedAt = moment(claims.get(IAT));
  const expiresAt = moment(claims.get(EXP));
  const said = { issuer: text(claims.get(ISS)), version: number(version, VERSION_END), issuedAt, expiresAt, raw };
  const roots = items(rootItems).map(rootOf);
  const keys = items(keyItems).map(keyOf);
  const status = new Map([...floors].map(([uri, floor]) => [text(uri), moment(floor)]));
  const points = [...roots, ...keys].map((key) => key.point);
  for (const point of points) need((await importKey(point)) !== null);
  // A key stands once: it cannot be revoked here and good there, a root and a signer of codes.
  need(new Set(points.map(hex)).size === points.length && expiresAt > issuedAt && expiresAt - issuedAt <= LIFE_MAX_MS);
  const keyring = new Map();
  for (const { kid, ...key } of keys) keyring.set(kid, [...(keyring.get(kid) ?? []), key]);
  const content = JSON.stringify([expiresAt, roots, keys, [...status].sort()], (_, value) => (value instanceof Uint8Array ? hex(value) : value));
  return { ...said, roots, keyring, status, content };
}

function rootOf(item) {
  const [kid, x, y, revoked] = items(item, 4);
  return { kid: hex(bytes(kid, 8)), point: pointOf(x, y), revoked: bool(revoked) };
}

function keyOf(item) {
  const [kid, x, y, issuer, begins, ends, measures, areas, revoked, statusUri] = items(item, 10);
  return {
    kid: hex(bytes(kid, 8)),
    point: pointOf(x, y),
    issuer: text(issuer),
    notBefore: moment(begins),
    notAfter: ends === null ? null : moment(ends),
    measures: items(measures).map(text),
    areas: items(areas).map(text),
    revoked: bool(revoked),
    statusUri: statusUri === "" ? "" : text(statusUri),
  };
}

function pointOf(x, y) {
  return concat([4], bytes(x, 32), bytes(y, 32));
}

function items(item, count = item?.length) {
  need(Array.isArray(item) && item.length === count);
  return item;
}

function text(item) {
  need(typeof item === "string" && item.length > 0);
  return item;
}

function bytes(item, size) {
  need(item instanceof Uint8Array && item.length === size);
  return item;
}

function bool(item) {
  need(typeof item === "boolean");
  return item;
}

function number(item, end) {
  need(typeof item === "number" && item >= 0 && item < end);
  return item;
}

function moment(item) {
  return number(item, TIME_END) * 1000;
}

function has(map, keys) {
  return map.size === keys.length && keys.every((key) => map.has(key));
}

function reading(read) {
  try {
    return read();
  } catch (error) {
    throw error instanceof CborError ? new TrustError("trustlist.unreadable") : error;
  }
}

function need(holds, code = "trustlist.unreadable") {
  if (!holds) throw new TrustError(code);
}

// ---------------------------------------------------------------- keeping it

const EMPTY = { raw: null, seen: 0, etag: null };

/**
 * What this device holds, and how it gets the next. `pins` count only until a first list is kept.
 *
 *   store   { get(), put(record) }, both may be async: one record, written whole or not at all
 *   fetch, url   where the list is served; `timeoutMs` bounds the whole of it, `clock` gives ms since 1970
 *
 * Gives an object:
 *   list          the list held, or null
 *   now()         the device's clock, but never before the newest signed time that was seen here: time does not go back
 *   saw(ms)       tells of another signed time (a status list's)
 *   standing()    "none" | "fresh" | "stale": a stale list is still judged by, and that is said
 *   ageMs()       how long ago the list was signed; null without one
 *   offer(raw)    takes a list, or throws TrustError and keeps what there is
 *   refresh()     fetches and offers: { kind: "taken" | "same" } | { kind: "refused", code } | { kind: "away" }
 */
export async function openTrust({ pins, store, fetch, url, clock = Date.now, timeoutMs = 20_000 }) {
  let kept = { ...EMPTY, ...(await store.get()) };
  // What is kept was verified when it came; the store is this device's own.
  let list = kept.raw ? await parse(open(kept.raw).payload, kept.raw) : null;
  let turn = Promise.resolve();

  const now = () => Math.max(clock(), kept.seen);

  async function keep(record) {
    await store.put(record); // if this fails, what is held and what is kept are both as before
    kept = record;
  }

  async function take(raw, etag) {
    const next = await accept(list ?? pins, raw, now());
    if (next === list) return "same";
    await keep({ raw, seen: Math.max(kept.seen, next.issuedAt), etag });
    list = next;
    return "taken";
  }

  /** One after another: two offers at the same time must not both be compared with the same list. */
  function queued(task) {
    const result = turn.then(task);
    turn = result.catch(() => {});
    return result;
  }

  async function refresh() {
    let response;
    let raw;
    try {
      const headers = list && kept.etag ? { "If-None-Match": kept.etag } : {};
      const signal = AbortSignal.timeout(timeoutMs);
      response = await fetch(url, { headers, signal, cache: "no-store", credentials: "omit", redirect: "error" });
      if (response.status === 304 && list) return { kind: "same" };
      if (response.status !== 200) return { kind: "away" };
      raw = await readUpTo(response, LIST_MAX_BYTES);
    } catch {
      return { kind: "away" };
    }
    if (raw === null) return { kind: "refused", code: "trustlist.too_large" };
    try {
      return { kind: await take(raw, response.headers.get("etag")) };
    } catch (error) {
      if (error instanceof TrustError) return { kind: "refused", code: error.code };
      throw error;
    }
  }

  return {
    get list() {
      return list;
    },
    now,
    saw: (ms) => queued(async () => (ms > kept.seen ? keep({ ...kept, seen: ms }) : undefined)),
    standing: () => (list === null ? "none" : now() < list.expiresAt ? "fresh" : "stale"),
    ageMs: () => (list === null ? null : Math.max(0, now() - list.issuedAt)),
    offer: (raw) => queued(() => take(raw, null)),
    refresh: () => queued(refresh),
  };
}

/** The body of a response, or null if it is longer than `most`: what comes after is not waited for. */
export async function readUpTo(response, most) {
  const reader = response.body.getReader();
  const pieces = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(...pieces);
    pieces.push(value);
    length += value.length;
    if (length > most) {
      reader.cancel().catch(() => {});
      return null;
    }
  }
}
