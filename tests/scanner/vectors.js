// vectors/code/codes.json in the terms of scanner/code.js, for node and for a browser.

const bytesOf = (digits) => Uint8Array.from(digits.match(/../g), (pair) => parseInt(pair, 16));

/** The keyring of the file's `keys`. */
export function keyringOf(keys) {
  const ring = new Map();
  for (const { kid, x, y, issuer, not_before, not_after, measures, areas, revoked } of keys) {
    const scope = { notBefore: not_before * 1000, notAfter: not_after === null ? null : not_after * 1000, measures, areas };
    ring.set(kid, [...(ring.get(kid) ?? []), { point: bytesOf(`04${x}${y}`), issuer, ...scope, revoked }]);
  }
  return ring;
}

/** What became of `text`, in the words of the file. */
export async function judged(verifyCode, text, ring) {
  try {
    const { claims, proofAt } = await verifyCode(text, ring);
    const said = {
      issuer: claims.issuer,
      qid: claims.qid,
      name: claims.name,
      birth_date: claims.birthDate,
      sex: claims.sex,
      measure: claims.measure,
      worth: claims.worth,
      matched: claims.matched,
      last_four: claims.lastFour,
      vintage: claims.vintage,
      areas: claims.areas,
      route: claims.route,
      status_index: claims.statusIndex,
      carrier: claims.carrier,
      party: claims.party.map(({ qid, name }) => [qid, name]),
      issued_at: claims.issuedAt / 1000,
      valid_from: claims.validFrom / 1000,
      valid_until: claims.validUntil / 1000,
    };
    return { claims: proofAt === null ? said : { ...said, proof_at: proofAt / 1000 } };
  } catch (error) {
    return { step: error.step, code: error.code ?? String(error) };
  }
}
