// What an officer is told of a code that the server could not be asked about: pure, from what belief.js knows to the
// names of sentences in words.js, each with what is filled in.
//
// Not known stays not known (CHƯA RÕ): a good signature that no list speaks against is no verdict, since what the person
// declared since, and what holds here, only the server knows. Two things are known whatever happened since, and stop
// the bearer as the server would (core/reasons.py): a signature that is wrong, and a code that its issuer revoked, as
// said by a list that is still good. After its end a list stops nobody any more; that it did is still said.

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
 *   tone     "stop" | "unknown"
 *   person   what codeSays says of the bearer, or null: nobody is named by a code that does not verify
 *   live     "live" | "static" | "stale" | null
 *   reason, note   sentences: [[key, …values]]; a value { at: ms } is a moment, { ago: ms } an age
 *   cure     key of what to do
 */
export function offlineFindings({ problem, code, status, keys }, why) {
  const deciding = problem ?? standingOf(status);
  const tone = STOPS.has(deciding) ? "stop" : "unknown";
  const away = [`away.${why}`];
  const found = problem ? [[problem]] : whatItSays(code, status, deciding);
  const isUnsure = tone === "unknown" && code !== null && !code.matched; // it would be repaired here, with a network
  const needs = isUnsure ? [["repair.needs_network"]] : [];
  const note = [...agesOf(keys, status), ...troublesOf(keys, status), ...needs, ["unknown.unrecorded"]];
  return {
    tone,
    person: code,
    live: code?.live ?? null,
    reason: tone === "stop" ? [[deciding]] : [away, ...found],
    cure: CURES[deciding] ?? (status && wasWithdrawn(status) ? "cure.help_desk" : "unknown.look"),
    note: tone === "stop" ? [away, ...note] : note,
  };
}

/** What a list that is good says against the code, if it does. */
function standingOf({ code, said }) {
  if (code !== null) return null;
  return { revoked: "standing.revoked", suspended: "standing.suspended", check_again: "says.check_again" }[said] ?? null;
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
function isPast({ code, said, isStale }) {
  return code === null && said === "valid" && isStale;
}

/** By a list that is over. */
function wasWithdrawn({ code, said }) {
  return code === "status.expired" && (said === "revoked" || said === "suspended");
}

/** How old the lists are; together, if they came together. */
function agesOf(keys, status) {
  if (keys.ageMs === null) return [];
  if (status === null || status.ageMs === null) return [["ages.keys", { ago: keys.ageMs }]];
  const isTogether = Math.abs(keys.ageMs - status.ageMs) < 60_000;
  if (isPast(status)) return isTogether ? [] : [["ages.keys", { ago: keys.ageMs }]]; // that of the other is said already
  if (isTogether) return [["ages.both", { ago: status.ageMs }]];
  return [["ages.status", { ago: status.ageMs }], ["ages.keys", { ago: keys.ageMs }]];
}

/** What is the matter with the lists themselves. */
function troublesOf(keys, status) {
  const codes = [keys.isStale ? "says.keys_expired" : null, keys.refused, status?.refused ?? null];
  return [...new Set(codes)].filter((code) => code !== null && code !== status?.code).map((code) => [code]);
}
