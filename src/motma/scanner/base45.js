// Base45 (RFC 9285): what the alphanumeric mode of a QR holds. Upper case only. The twin of core/base45.py.

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const NONE = 255;
const DIGITS = new Uint8Array(128).fill(NONE);
for (let digit = 0; digit < ALPHABET.length; digit++) DIGITS[ALPHABET.charCodeAt(digit)] = digit;

/** The bytes that `text` holds, or null if it is no base45. */
export function decodeBase45(text) {
  const length = text.length;
  if (length % 3 === 1) return null;
  const data = new Uint8Array(Math.floor((length * 2) / 3));
  let at = 0;
  for (let i = 0; i < length; i += 3) {
    const low = digitAt(text, i);
    const middle = digitAt(text, i + 1);
    const isPair = i + 2 < length;
    const high = isPair ? digitAt(text, i + 2) : 0;
    if (low === NONE || middle === NONE || high === NONE) return null;
    const number = low + 45 * middle + 2025 * high;
    if (number > (isPair ? 0xffff : 0xff)) return null;
    if (isPair) data[at++] = number >> 8;
    data[at++] = number & 0xff;
  }
  return data;
}

function digitAt(text, index) {
  const letter = text.charCodeAt(index);
  return letter < 128 ? DIGITS[letter] : NONE;
}
