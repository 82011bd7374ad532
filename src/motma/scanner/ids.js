// Numbers that name things, as core/ids.py makes and checks them. Time and randomness are arguments.

const CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz";

/** `kind_` + 26 characters: 48 bits of Unix milliseconds, then 80 random bits (10 bytes), time-ordered. */
export function newFactId(kind, nowMs, random) {
  let number = BigInt(nowMs);
  for (let i = 0; i < 10; i++) number = (number << 8n) | BigInt(random[i]);
  let text = "";
  for (let shift = 125n; shift >= 0n; shift -= 5n) text += CROCKFORD[Number((number >> shift) & 31n)];
  return `${kind}_${text}`;
}

/** The digits of what was typed or pasted; spaces, dots and hyphens are how people write the number. */
export function digitsOf(raw) {
  return raw.replace(/\D/g, "").slice(0, 18);
}

/** What is wrong with these digits as a QID: `"short"`, `"check_digit"`, or null when nothing is. */
export function qidProblem(digits) {
  if (!/^\d{18}$/.test(digits)) return "short";
  return checksum(digits) === 1 ? null : "check_digit";
}

/** The QID as people read it aloud: three groups of six. */
export function groupQid(digits) {
  return digits.replace(/(\d{6})(?=\d)/g, "$1 ");
}

// ISO 7064 MOD 11,10: 1 when the last digit is the check digit of those before it.
function checksum(digits) {
  let check = 5;
  for (const digit of digits) check = ((((check || 10) * 2) % 11) + Number(digit)) % 10;
  return check;
}

/** A vehicle's plate without what people put between its characters, or null if it cannot be one. */
export function plateOf(text) {
  const plate = text.normalize("NFC").replace(/[\s.\-–]/g, "").toUpperCase();
  return /^(?=.*\d)[A-ZĐ\d]{4,12}$/.test(plate) ? plate : null;
}
