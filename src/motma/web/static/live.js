// The live proof, byte by byte: the holder's own key signs the code with the time (docs/code-format.md, step 9). Pure:
// no clock, no key, no page. A code of any other shape than the one our issuer writes is left alone (null).

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const HEAD = [0xd2, 0x84, 0x4d, 0xa2, 0x01, 0x26, 0x04, 0x48]; // tag 18, array of 4, {1: -7, 4: kid of 8 bytes}
const PROOF_PROTECTED = [0xa2, 0x01, 0x26, 0x0f, 0xa1, 0x06, 0x1a]; // {1: -7, 15: {6: seconds}}, seconds to follow
const EMPTY_AT = 16; // where {}, the unprotected header, stands
const SIGNATURE_BYTES = 64;

/** What stands in the text of a code: {head, payload, signature}, `payload` with its CBOR head; null for another shape. */
export function openCode(text) {
  const cose = inflateStored(decode45(text));
  if (!cose || cose.length < EMPTY_AT + 70 || !HEAD.every((byte, at) => cose[at] === byte)) return null;
  const end = cose.length - SIGNATURE_BYTES;
  if (cose[EMPTY_AT] !== 0xa0 || cose[end - 2] !== 0x58 || cose[end - 1] !== SIGNATURE_BYTES) return null;
  return {
    head: cose.subarray(0, EMPTY_AT),
    payload: cose.subarray(EMPTY_AT + 1, end - 2),
    signature: cose.subarray(end),
  };
}

/** Whether `code` names the key of `point` (33 bytes, compressed) as its holder's: claim 8 as `core/claims.py` lays it. */
export function isBoundTo(code, point) {
  const claim = [8, 0xa1, 1, 0xa4, 1, 2, 0x20, 1, 0x21, 0x58, 0x20, ...point.subarray(1), 0x22, point[0] === 3 ? 0xf5 : 0xf4];
  const last = code.payload.length - claim.length;
  for (let start = 0; start <= last; start++) {
    if (claim.every((byte, at) => code.payload[start + at] === byte)) return true;
  }
  return false;
}

/** What the holder's key signs at `seconds` since 1970 (RFC 9338, section 3.3, version 2). */
export function toBeSigned(code, seconds) {
  return joined(
    [0x86, 0x72],
    new TextEncoder().encode("CounterSignatureV2"),
    code.head.subarray(2), // the protected header as a byte string
    bstrOfProof(seconds),
    [0x40],
    code.payload,
    [0x81, 0x58, SIGNATURE_BYTES],
    code.signature,
  );
}

/** The text of the code with its proof: what the QR shows for the next half minute. `proof` is 64 bytes, r and s. */
export function withProof(code, seconds, proof) {
  const header = [0xa1, 0x0b, 0x83, ...bstrOfProof(seconds), 0xa0, 0x58, SIGNATURE_BYTES];
  return encode45(stored(joined(code.head, header, proof, code.payload, [0x58, SIGNATURE_BYTES], code.signature)));
}

/** The compressed form (33 bytes) of an uncompressed P-256 point (65 bytes). */
export function compressed(point) {
  return joined([2 + (point[64] & 1)], point.subarray(1, 33));
}

function bstrOfProof(seconds) {
  return [0x4b, ...PROOF_PROTECTED, (seconds >>> 24) & 255, (seconds >>> 16) & 255, (seconds >>> 8) & 255, seconds & 255];
}

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** RFC 9285; null for what is no base45. */
export function decode45(text) {
  const bytes = [];
  for (let at = 0; at < text.length; at += 3) {
    const digits = [...text.slice(at, at + 3)].map((letter) => ALPHABET.indexOf(letter));
    const value = digits.reduceRight((sum, digit) => sum * 45 + digit, 0);
    if (digits.includes(-1) || digits.length < 2 || value >= 256 ** (digits.length - 1)) return null;
    if (digits.length === 3) bytes.push(value >> 8);
    bytes.push(value & 255);
  }
  return Uint8Array.from(bytes);
}

/** RFC 9285. */
export function encode45(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 2) {
    const pair = at + 1 < bytes.length;
    let value = pair ? bytes[at] * 256 + bytes[at + 1] : bytes[at];
    for (let left = pair ? 3 : 2; left; left--) {
      text += ALPHABET[value % 45];
      value = Math.floor(value / 45);
    }
  }
  return text;
}

// Our issuer stores and does not squeeze (ids and signatures do not shrink), so nothing here has to inflate.
function inflateStored(bytes) {
  if (!bytes || bytes.length < 11 || bytes[0] !== 0x78 || bytes[2] !== 1) return null;
  const length = bytes[3] | (bytes[4] << 8);
  if ((length ^ 0xffff) !== (bytes[5] | (bytes[6] << 8)) || bytes.length !== length + 11) return null;
  const content = bytes.subarray(7, 7 + length);
  return adler32(content).every((byte, at) => bytes[7 + length + at] === byte) ? content : null;
}

function stored(content) {
  const length = content.length;
  const inverse = length ^ 0xffff;
  const head = [0x78, 1, 1, length & 255, length >> 8, inverse & 255, inverse >> 8];
  return joined(head, content, adler32(content));
}

function adler32(bytes) {
  let [low, high] = [1, 0];
  for (const byte of bytes) {
    low = (low + byte) % 65521;
    high = (high + low) % 65521;
  }
  return [high >> 8, high & 255, low >> 8, low & 255];
}
