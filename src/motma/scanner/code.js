// Our code, verified on the device: the twin of core/code.py and core/claims.py, step by step as docs/code-format.md
// numbers them, with the same reasons. Both are held to vectors/code/codes.json.
//
//   keyring   Map of kid (hex) -> [{ point, issuer, notBefore, notAfter, measures, areas, revoked }]: `point` the public
//             key, 33 or 65 bytes; times in ms, `notAfter` null for no end; empty `measures` and `areas`: any.
//             A kid is a hint: several keys may bear it.
//
// All times here are ms since 1970, as Date.now() gives them.

import { decodeBase45 } from "./base45.js";
import { ALG, bstr, bytesOf, concat, CborError, decodeCbor, ES256, hex, importKey, KID, parseSign1, verifies } from "./cose.js";

const TEXT_MAX_CHARS = 4296; // what the largest QR code holds in its alphanumeric mode (ISO/IEC 18004)
const INFLATED_MAX_BYTES = 3072;
const CONTENT_MAX_DEPTH = 5;
const LIVE_MS = 90_000;

const STEPS = {
  "code.oversized": 1,
  "code.not_base45": 1,
  "code.not_zlib": 2,
  "code.bomb": 2,
  "code.not_ours": 3,
  "code.algorithm": 3,
  "code.no_kid": 3,
  "code.unknown_key": 4,
  "code.forged": 5,
  "code.revoked_key": 5,
  "code.not_cbor": 6,
  "code.too_deep": 6,
  "code.key_twice": 6,
  "code.malformed": 7,
  "code.number": 7,
  "code.times": 7,
  "code.wrong_issuer": 8,
  "code.out_of_scope": 8,
  "code.key_out_of_time": 8,
  "code.proof_forged": 9,
};

/** Why a text is not accepted: `code` as in core/reasons.py, `step` as in docs/code-format.md. */
export class CodeError extends Error {
  constructor(code) {
    super(code);
    this.code = code;
    this.step = STEPS[code];
  }
}

/**
 * The claims of a code of ours under a key of `keyring` that may sign it: { claims, key, proofAt }. `proofAt` is when
 * the holder's key last signed it, by the holder's clock; null without a live proof. Validity is not judged here.
 * Throws CodeError, and nothing else.
 */
export async function verifyCode(text, keyring) {
  if (text.length > TEXT_MAX_CHARS) throw new CodeError("code.oversized");
  const squeezed = decodeBase45(text); // step 1
  if (squeezed === null) throw new CodeError("code.not_base45");
  const cose = fromOneBlock(squeezed) ?? (await inflate(squeezed)); // step 2
  const { kid, proof, payloadBstr, payload, signature } = openEnvelope(cose); // step 3
  const candidates = keyring.get(hex(kid)); // step 4
  if (!candidates?.length) throw new CodeError("code.unknown_key");
  const signed = concat(SIGNATURE1, kid, [0x40], payloadBstr);
  const key = await firstThatHolds(candidates, signature, signed); // step 5
  if (key === null) throw new CodeError("code.forged");
  if (key.revoked) throw new CodeError("code.revoked_key");
  const claims = parseClaims(payload); // steps 6 and 7
  checkScope(key, claims); // step 8
  const proofAt = proof && (await provenAt(proof, claims, kid, payloadBstr, signature)); // step 9
  return { claims, key, proofAt };
}

/** "live": its holder's key signed it just now; "stale": some time ago; "static": a picture, paper. */
export function liveness({ proofAt }, nowMs, toleranceMs = 0) {
  if (proofAt === null) return "static";
  return Math.abs(nowMs - proofAt) <= LIVE_MS + toleranceMs ? "live" : "stale";
}

// ---------------------------------------------------------------- step 2: zlib

/** What one stored block holds, which is how codes are issued; null for anything else, to be looked at by inflate. */
function fromOneBlock(squeezed) {
  const size = squeezed.length - 11;
  if (size < 0 || size > INFLATED_MAX_BYTES || (squeezed[0] & 15) !== 8 || squeezed[0] >> 4 > 7) return null;
  if (((squeezed[0] << 8) | squeezed[1]) % 31 || squeezed[1] & 0x20 || squeezed[2] !== 1) return null;
  if ((squeezed[3] | (squeezed[4] << 8)) !== size || (squeezed[5] | (squeezed[6] << 8)) !== (size ^ 0xffff)) return null;
  const held = squeezed.subarray(7, 7 + size);
  let a = 1;
  let b = 0;
  for (const byte of held) {
    a += byte;
    b += a;
  }
  // So few bytes add up to a number that is exact, so the remainder can wait until here.
  const sum = [b % 65521 >> 8, b % 65521 & 255, a % 65521 >> 8, a % 65521 & 255];
  return sum.every((byte, i) => byte === squeezed[7 + size + i]) ? held : null;
}

async function inflate(squeezed) {
  // zlib passes over the five bits that fill up the head of a stored block; a code has one form, so they are zero.
  if (squeezed.length > 2 && !(squeezed[2] & 6) && squeezed[2] !== 1) throw new CodeError("code.not_zlib");
  const stream = new DecompressionStream("deflate");
  const writer = stream.writable.getWriter();
  // Both fail when the stream does, and that is told by read() below.
  writer.write(squeezed).catch(() => {});
  writer.close().catch(() => {});
  const reader = stream.readable.getReader();
  let whole = new Uint8Array(0);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return whole;
      if (whole.length + value.length > INFLATED_MAX_BYTES) break;
      whole = concat(whole, value);
    }
  } catch {
    throw new CodeError("code.not_zlib"); // also for bytes after the stream
  }
  reader.cancel().catch(() => {});
  throw new CodeError("code.bomb");
}

// ---------------------------------------------------------------- step 3: the envelope, of one shape only

const PROTECTED = bytesOf("a201260448"); // {1: -7 (ES256), 4: kid of 8 bytes}
const HEAD = concat(bytesOf("d2844d"), PROTECTED); // tag 18, array of 4, bstr of 13
const KID_BYTES = 8;
const UNPROTECTED_AT = HEAD.length + KID_BYTES;
// {11: [<<{1: -7, 15: {6: seconds}}>>, {}, signature]}: a countersignature (RFC 9338) that tells its time (RFC 9597).
const PROOF_HEAD = bytesOf("a10b834b");
const PROOF_PROTECTED = bytesOf("a201260fa1061a");
const PROOF_MIDDLE = bytesOf("a05840");
const PROOF_BYTES = PROOF_HEAD.length + PROOF_PROTECTED.length + 4 + PROOF_MIDDLE.length + 64;
const ascii = new TextEncoder();
const SIGNATURE1 = concat([0x84, 0x6a], ascii.encode("Signature1"), [0x4d], PROTECTED);
const COUNTERSIGNATURE = concat([0x86, 0x72], ascii.encode("CounterSignatureV2"), [0x4d], PROTECTED);

function openEnvelope(cose) {
  let start = UNPROTECTED_AT + 1;
  let proof = null;
  if (startsWith(cose, PROOF_HEAD, UNPROTECTED_AT)) {
    start = UNPROTECTED_AT + PROOF_BYTES;
    proof = cose.subarray(UNPROTECTED_AT, start);
  } else if (cose[UNPROTECTED_AT] !== 0xa0) {
    throw new CodeError(whatIsWrong(cose));
  }
  const end = cose.length - 66;
  const payloadBstr = cose.subarray(start, Math.max(start, end));
  const payload = contentOf(payloadBstr);
  if (payload === null || !startsWith(cose, HEAD, 0) || !startsWith(cose, [0x58, 0x40], end)) {
    throw new CodeError(whatIsWrong(cose));
  }
  return { kid: cose.subarray(HEAD.length, UNPROTECTED_AT), proof, payloadBstr, payload, signature: cose.subarray(end + 2) };
}

/** Which reason fits an envelope that is not of our shape. Only to explain; nothing is accepted here. */
function whatIsWrong(cose) {
  let foreign;
  try {
    foreign = parseSign1(cose, INFLATED_MAX_BYTES);
  } catch {
    return "code.not_ours";
  }
  if (foreign.headers.get(ALG) !== ES256) return "code.algorithm";
  return foreign.headers.get(KID) instanceof Uint8Array ? "code.not_ours" : "code.no_kid";
}

/** What a byte string holds, if its head is the shortest that it can have and its length is true; else null. */
function contentOf(data) {
  const size = data.length < 25 ? 1 : data.length < 258 ? 2 : 3;
  const content = data.subarray(size);
  return startsWith(data, bstr(content).subarray(0, size), 0) && bstr(content).length === data.length ? content : null;
}

function startsWith(bytes, start, at) {
  for (let i = 0; i < start.length; i++) if (bytes[at + i] !== start[i]) return false;
  return true;
}

// ---------------------------------------------------------------- step 5: the signature

const imported = new WeakMap();

/** The WebCrypto key of an entry of the keyring, made once. */
function cryptoKeyOf(key) {
  if (!imported.has(key)) imported.set(key, importKey(key.point));
  return imported.get(key);
}

async function firstThatHolds(candidates, signature, signed) {
  for (const key of candidates) {
    const cryptoKey = await cryptoKeyOf(key);
    if (cryptoKey && (await verifies(cryptoKey, signature, signed))) return key;
  }
  return null;
}

// ---------------------------------------------------------------- steps 6 and 7: the content

const ISS = 1;
const EXP = 4;
const NBF = 5;
const IAT = 6;
const CTI = 7;
const CNF = 8;
const IDENTITY = 169;
const OURS = -65537;
const SEXES = [null, "male", "female", "other"];
const WORTHS = ["accept", "manual", "reject"];
const CARRIERS = ["screen", "paper"];
const PARTY_MAX = 50;
const END_OF_TIME = 2 ** 32;
const QID = /^[1-9][0-9]{17}$/;

function parseClaims(payload) {
  const said = decodeContent(payload); // step 6
  const identity = said.get(IDENTITY); // step 7
  const ours = said.get(OURS);
  need(identity instanceof Map && Array.isArray(ours) && ours.length >= 9);
  need([ISS, EXP, IAT, CTI].every((key) => said.has(key)) && [1, 4, 8].every((key) => identity.has(key)));
  // In the order in which the other verifier looks, so that the first fault is the same.
  const issuer = text(said.get(ISS));
  const validUntil = moment(said.get(EXP));
  const validFrom = moment(said.get(said.has(NBF) ? NBF : IAT));
  const issuedAt = moment(said.get(IAT));
  const codeId = said.get(CTI);
  need(codeId instanceof Uint8Array && codeId.length === 16);
  const qid = text(identity.get(1), 18);
  const name = text(identity.get(4));
  const born = text(identity.get(8), 8);
  const sex = SEXES[identity.get(9) == null ? 0 : number(identity.get(9), 1, 4)];
  const measure = text(ours[0]);
  const worth = WORTHS[number(ours[1], 0, WORTHS.length)];
  const matched = ours[2];
  need(typeof matched === "boolean");
  const lastFour = text(ours[3], 4);
  const vintage = number(ours[4], 1900, 3000);
  const areas = texts(ours[5]);
  const route = texts(ours[6]);
  const statusIndex = number(ours[7], 0, END_OF_TIME);
  const carrier = CARRIERS[number(ours[8], 0, CARRIERS.length)];
  const party = ours.length > 9 ? companions(ours[9]) : [];
  need(QID.test(qid) && /^[0-9]{8}$/.test(born) && name === name.normalize("NFC"));
  const birthDate = date(born);
  const holderKey = said.has(CNF) ? pointOf(said.get(CNF)) : null;
  if (!(validFrom < validUntil)) throw new CodeError("code.times");
  const when = { issuedAt, validFrom, validUntil };
  const who = { qid, name, birthDate, lastFour, sex, party };
  return { issuer, codeId, ...who, measure, areas, vintage, route, worth, matched, statusIndex, carrier, ...when, holderKey };
}

function decodeContent(payload) {
  let said;
  try {
    said = decodeCbor(payload, CONTENT_MAX_DEPTH);
  } catch (error) {
    const why = error instanceof CborError ? error.why : "malformed";
    throw new CodeError(why === "malformed" ? "code.not_cbor" : `code.${why}`);
  }
  if (!(said instanceof Map)) throw new CodeError("code.not_cbor");
  return said;
}

function need(holds, code = "code.malformed") {
  if (!holds) throw new CodeError(code);
}

function text(item, letters = null) {
  need(typeof item === "string" && (letters === null ? item.length > 0 : [...item].length === letters));
  return item;
}

function texts(item) {
  need(Array.isArray(item));
  return item.map((one) => text(one));
}

function number(item, from, to) {
  need(typeof item === "number" && item >= from && item < to, "code.number");
  return item;
}

function moment(item) {
  need(typeof item === "number" && item >= 0 && item < END_OF_TIME, "code.times");
  return item * 1000;
}

/** YYYYMMDD of a day that there was, with hyphens. */
function date(born) {
  const [year, month, day] = [born.slice(0, 4), born.slice(4, 6), born.slice(6)];
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  need(year > 0 && day > 0 && day <= days);
  return `${year}-${month}-${day}`;
}

function companions(item) {
  need(Array.isArray(item) && item.length <= PARTY_MAX);
  return item.map((one) => {
    need(Array.isArray(one) && one.length === 2 && /^(number|bigint)$/.test(typeof one[0]));
    const qid = String(one[0]);
    need(QID.test(qid));
    return { qid, name: text(one[1]) };
  });
}

/** The compressed point of `{1: {1: 2, -1: 1, -2: x, -3: sign}}`; whether it lies on the curve is seen in use. */
function pointOf(cnf) {
  const key = cnf instanceof Map ? cnf.get(1) : null;
  need(key instanceof Map && key.get(1) === 2 && key.get(-1) === 1);
  const [x, sign] = [key.get(-2), key.get(-3)];
  need(x instanceof Uint8Array && x.length === 32 && typeof sign === "boolean");
  return concat([sign ? 3 : 2], x);
}

// ---------------------------------------------------------------- steps 8 and 9: scope, live proof

function checkScope(key, { issuer, measure, areas, issuedAt }) {
  need(issuer === key.issuer, "code.wrong_issuer");
  need(!key.measures.length || key.measures.includes(measure), "code.out_of_scope");
  need(!key.areas.length || (areas.length && areas.every((area) => key.areas.includes(area))), "code.out_of_scope");
  need(issuedAt >= key.notBefore && (key.notAfter === null || issuedAt <= key.notAfter), "code.key_out_of_time");
}

/** When the holder's key countersigned (RFC 9338, section 3.3, version 2). Anything odd about it is a forgery. */
async function provenAt(proof, { holderKey }, kid, payloadBstr, codeSignature) {
  const middleAt = PROOF_HEAD.length + PROOF_PROTECTED.length + 4;
  const isShaped = startsWith(proof, PROOF_PROTECTED, PROOF_HEAD.length) && startsWith(proof, PROOF_MIDDLE, middleAt);
  const key = isShaped && holderKey && (await importKey(holderKey));
  const theirs = proof.subarray(PROOF_HEAD.length - 1, middleAt); // as a byte string
  const signed = concat(COUNTERSIGNATURE, kid, theirs, [0x40], payloadBstr, [0x81, 0x58, 0x40], codeSignature);
  const holds = key && (await verifies(key, proof.subarray(middleAt + PROOF_MIDDLE.length), signed));
  need(holds, "code.proof_forged");
  return new DataView(proof.buffer, proof.byteOffset).getUint32(middleAt - 4) * 1000;
}

// ---------------------------------------------------------------- what it says when nobody can be asked

/**
 * What a verified code says by itself, for the officer who cannot ask the server: whom to expect, and whether the
 * signature's word still counts. `result` is what verifyCode gives. It never says more than "valid": whether the code
 * was revoked, and what the measure is now, only the server knows.
 */
export function codeSays({ claims }, nowMs) {
  const { name, lastFour, birthDate, validFrom, validUntil } = claims;
  const when = nowMs < validFrom ? "not_yet" : nowMs >= validUntil ? "expired" : "valid";
  return { name, last_four: lastFour, birth_date: birthDate, when, validFrom, validUntil };
}
