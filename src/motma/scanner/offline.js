// What an officer is told of a code that the server could not be asked about: pure, from what belief.js knows to the
// names of sentences in words.js, each with what is filled in, and to the words of the rules themselves.
//
// With rules on this device (bundle.js) their verdict counts, and it is said by what, and how old that is. Without them a
// good signature that no list speaks against is no verdict: not known stays not known (CHƯA RÕ). Two things are known
// whatever happened since, and stop the bearer as the server would (core/reasons.py): a signature that is wrong, and a code
// that its issuer revoked, as said by a list that is still good. After its end a list stops nobody any more; that it did is
// still said.

const TONES = { accept: "go", manual: "check", refer: "next", reject: "stop" };
const STOPS = new Set(["code.forged", "code.wrong_issuer", "standing.revoked"]);

/** What to do, where it is not simply to look at the document. */
const CURES = {
  "code.forged": "cure.help_desk",
  "code.wrong_issuer": "cure.help_desk",
  "code.revoked_key": "code.revoked_key.cure",
  "standing.revoked": "standing.revoked.cure",
  "standing.suspended": "standing.suspended.cure",
};

/**
 * `says` is what belief.js says; `why` why the server has not answered, as in checks.js. Gives:
 *   tone     "go" | "check" | "stop" | "unknown"
 *   person   what codeSays says of the bearer, or null: nobody is named by a code that does not verify
 *   live     "live" | "static" | "stale" | null
 *   reason, note   sentences: [key, …values], a value { at: ms } being a moment, { ago: ms } an age; or { vi, en }
 *   cure     what to do, as a sentence; null where there is nothing to do
 *   more     further reasons: [{ words, cure }], each { vi, en }
 *   until    the end of the code in ms where the person may go on, else null
 */
export function offlineFindings(says, why) {
  const away = [`away.${why}`];
  return says.verdict ? judged(says, away) : unjudged(says, away);
}

// ---------------------------------------------------------------- by the rules on this device

function judged({ code, status, keys, verdict, rules }, away) {
  const { outcome, known, reasons } = verdict;
  const [first, ...more] = reasons;
  const tone = outcome === "manual" && !known ? "unknown" : TONES[outcome];
  const withdrawn = tone === "unknown" && status !== null && wasWithdrawn(status) ? [[`says.was_${status.said}`]] : [];
  const isUnsure = code !== null && !code.matched && (tone === "check" || tone === "unknown");
  const needs = isUnsure ? [["repair.needs_network"]] : []; // it would be repaired here, with a network
  // The rules speak of lists in general; what is the matter with that of this code is said beside it.
  const isOld = status?.code === "status.expired"; // as its age says
  const lacking = tone === "unknown" && status?.code && !isOld ? [[status.code]] : [];
  return {
    tone,
    person: code,
    live: code?.live && !reasons.some(({ code: name }) => name.startsWith("proof.")) ? code.live : null,
    reason: [...(first ? [first.words] : []), ...withdrawn],
    cure: withdrawn.length ? ["cure.help_desk"] : (first?.cure ?? null),
    more: more.map(({ words, cure }) => ({ words, cure })),
    until: tone === "go" && code ? code.validUntil : null,
    note: [away, ...lacking, ...judgedBy(keys, status, rules), ...troublesOf(keys, status, rules), ...needs, ["unknown.unrecorded"]],
  };
}

/** By what, and how old that is; said once of what came together. */
function judgedBy(keys, status, rules) {
  const others = [keys.ageMs, status?.ageMs ?? null].filter((ageMs) => ageMs !== null);
  if (others.every((ageMs) => Math.abs(ageMs - rules.ageMs) < 60_000)) return [["judged.all", { ago: rules.ageMs }]];
  return [["judged.rules", { ago: rules.ageMs }], ...agesOf(keys, status)];
}

// ---------------------------------------------------------------- without rules

function unjudged({ problem, code, status, keys, rules }, away) {
  const deciding = problem ?? standingOf(status);
  const tone = STOPS.has(deciding) ? "stop" : "unknown";
  const found = problem ? [[problem]] : whatItSays(code, status, deciding);
  const isUnsure = tone === "unknown" && code !== null && !code.matched; // it would be repaired here, with a network
  const needs = isUnsure ? [["repair.needs_network"]] : [];
  const ages = isPast(status) ? agesBut(keys, status) : agesOf(keys, status); // that of the other is said already
  const note = [...ages, ...troublesOf(keys, status, rules), ...needs, ["unknown.unrecorded"]];
  return {
    tone,
    person: code,
    live: code?.live ?? null,
    reason: tone === "stop" ? [[deciding]] : [away, ...found],
    cure: [CURES[deciding] ?? (status && wasWithdrawn(status) ? "cure.help_desk" : "unknown.look")],
    more: [],
    until: null,
    note: tone === "stop" ? [away, ...note] : note,
  };
}

/** What a list that is good says against the code, if it does. */
function standingOf(status) {
  if (status === null || status.code !== null) return null;
  const against = { revoked: "standing.revoked", suspended: "standing.suspended", check_again: "says.check_again" };
  return against[status.said] ?? null;
}

function whatItSays(code, status, deciding) {
  if (deciding === "standing.suspended") return [[deciding]];
  if (wasWithdrawn(status)) return [[`says.was_${status.said}`]];
  const at = { at: code.when === "not_yet" ? code.validFrom : code.validUntil };
  const sentences = [[`says.${code.when}`, at]];
  if (code.worth === "reject") sentences.push(["says.worth_reject"]);
  else if (!code.matched) sentences.push(["says.pending"]);
  else if (code.worth === "manual") sentences.push(["says.worth_manual"]);
  if (deciding) return [[deciding], ...sentences];
  if (isPast(status)) return [...sentences, ["says.valid_then", { ago: status.ageMs }]];
  return [...sentences, [status.code ?? "says.unrevoked"]];
}

/** Not withdrawn when the list came, and that is a while ago. */
function isPast(status) {
  return status !== null && status.code === null && status.said === "valid" && status.isStale;
}

/** By a list that is over. */
function wasWithdrawn({ code, said }) {
  return code === "status.expired" && (said === "revoked" || said === "suspended");
}

// ---------------------------------------------------------------- the lists

/** How old the lists are; together, if they came together. */
function agesOf(keys, status) {
  if (keys.ageMs === null) return [];
  if (status === null || status.ageMs === null) return [["ages.keys", { ago: keys.ageMs }]];
  if (areTogether(keys, status)) return [["ages.both", { ago: status.ageMs }]];
  return [["ages.status", { ago: status.ageMs }], ["ages.keys", { ago: keys.ageMs }]];
}

/** The same without that of the status list. */
function agesBut(keys, status) {
  return keys.ageMs === null || areTogether(keys, status) ? [] : [["ages.keys", { ago: keys.ageMs }]];
}

function areTogether(keys, status) {
  return Math.abs(keys.ageMs - status.ageMs) < 60_000;
}

/** What is the matter with the lists and the rules themselves. */
function troublesOf(keys, status, rules) {
  const codes = [keys.isStale ? "says.keys_expired" : null, keys.refused, status?.refused ?? null];
  const all = new Set([...codes, rules?.code ?? null, rules?.refused ?? null]);
  return [...all].filter((code) => code !== null && code !== status?.code).map((code) => [code]);
}
