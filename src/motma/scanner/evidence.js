// The evidence document of a code that nobody could be asked about: what core/evidence.document makes of what the server
// knows, made of what belief.js knows. Pure. What only the server has, or what a list that is over said, is null.

const AHEAD_MINUTES = 7 * 60; // Vietnam, which knows no summer time
const MINUTE_MS = 60_000;

/**
 *   says     as belief.js tells: { problem, code, status, keys }
 *   rules    by what is judged: { measure, checkpoint, confirmedAt }
 *   nowMs    the time of the scan
 */
export function evidenceOf({ problem, code, status, keys }, { measure, checkpoint, confirmedAt }, nowMs) {
  const isListed = status !== null && status.code === null; // by a list that is still good
  return {
    now: instant(nowMs),
    clock: { minute: (Math.floor(nowMs / MINUTE_MS) + AHEAD_MINUTES) % 1440 },
    measure: { by_hand: measure?.by_hand ?? [] },
    checkpoint: checkpoint?.kind ? { id: checkpoint.id, kind: checkpoint.kind, area: checkpoint.area } : null,
    code: codeOf(problem, code, isListed ? status.said : null),
    reading: null,
    standing: code && {
      revoked: isListed ? status.said === "revoked" : null,
      suspended: isListed ? status.said === "suspended" : null,
    },
    declaration: code && declarationOf(code),
    health: null,
    trip: null,
    vehicle: { kind: null, green_lane: null },
    permit: null,
    certificate: null,
    diversion: { open: null },
    as_of: {
      standing: null, // nobody was asked
      keys: keys.isStale || keys.ageMs === null ? null : instant(nowMs - keys.ageMs),
      status: isListed && status.ageMs !== null ? instant(nowMs - status.ageMs) : null,
      rules: confirmedAt === null ? null : instant(confirmedAt),
    },
  };
}

function codeOf(problem, code, said) {
  return {
    problem,
    verified: code !== null,
    plain: false,
    liveness: code?.live ?? null,
    matched: code?.matched ?? null,
    worth: code?.worth ?? null,
    issued: code && instant(code.issuedAt),
    from: code && instant(code.validFrom),
    until: code && instant(code.validUntil),
    of_declaration: code !== null, // the declaration below is what the code itself says
    superseded: null,
    somebody_else: null,
    check_again: said === null ? null : said === "check_again",
  };
}

/** What the code says of the declaration it was issued on. */
function declarationOf({ matched, worth, issuedAt, validFrom, validUntil }) {
  // Of somebody who is not matched, `manual` says no more than that.
  const contact = worth === "manual" && matched ? "contact" : "clear";
  return {
    grade: matched ? "matched" : "pending",
    health: worth === "reject" ? "symptoms" : contact,
    at: instant(issuedAt),
    from: instant(validFrom),
    until: instant(validUntil),
  };
}

function instant(ms) {
  return new Date(ms).toISOString();
}
