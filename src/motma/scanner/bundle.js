// The rules on this device: the twin of core/bundle.py, step by step as docs/bundle.md numbers them, with the same codes;
// both are held to vectors/bundle/bundles.json. Below: keeping a bundle, fetching the next, and judging by it.
//
// A bundle is { issuer, version, issuedAt, expiresAt, place, checkpoint, periods, policies, reasons, content, signer }: `signer`
// the point of the root that signed it, in hex. All times are ms since 1970.

import { ALG, CborError, decodeCbor, hex, holds, importKey, KID, parseSign1, TYP } from "./cose.js";
import { evidenceOf } from "./evidence.js";
import { compileRulebook, judge, reasonsOf } from "./policy.js";
import { readUpTo, revokedPoints } from "./trust.js";

export const MEDIA_TYPE = "application/motma-bundle+cwt";
export const BUNDLE_MAX_BYTES = 2 ** 20;

const LIFE_MAX_MS = 31 * 86_400_000;
const SKEW_MS = 300_000;
const STEP_MAX = 2 ** 16;
const FORMAT = 1;
const VERSION_END = 2 ** 32;
const TIME_END = 2 ** 33;
const TAGGED_SIGN1 = 0xd2;
const ISS = 1;
const EXP = 4;
const IAT = 6;
const RULES = -65539;

/** Why a bundle is not taken: `code` as in core/bundle.py. */
export class BundleError extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/**
 * The bundle in `raw` (bytes) if, and only if, it may take the place of `held` (null: nothing yet). `roots` and `issuer`
 * are those of the list of trust that is held. Throws BundleError, and nothing else.
 */
export async function accept(raw, { roots, issuer, nowMs, held = null }) {
  const envelope = open(raw); // steps 1-2
  const signer = await signerOf(envelope, roots); // step 3
  const offered = { ...parse(envelope.payload), signer: hex(signer.point) }; // step 4
  need(offered.issuer === issuer, "bundle.wrong_issuer"); // step 5
  if (held) {
    need(offered.place === held.place, "bundle.elsewhere"); // step 6
    need(!goesBack(held, offered), "bundle.rolled_back"); // step 7
    need(offered.version - held.version <= STEP_MAX, "bundle.fast_forward"); // step 8
  }
  need(nowMs < offered.expiresAt, "bundle.expired"); // step 9
  need(offered.issuedAt <= nowMs + SKEW_MS, "bundle.not_yet");
  return offered;
}

function open(raw) {
  need(raw.length <= BUNDLE_MAX_BYTES, "bundle.too_large");
  const envelope = reading(() => parseSign1(raw, BUNDLE_MAX_BYTES));
  const { headers, unprotected } = envelope;
  need(headers.get(TYP) === MEDIA_TYPE, "bundle.wrong_type");
  need(raw[0] === TAGGED_SIGN1 && unprotected.size === 0 && has(headers, [ALG, KID, TYP]));
  return envelope;
}

async function signerOf(envelope, roots) {
  const known = roots.filter((root) => !root.revoked && envelope.kids.some((kid) => hex(kid) === root.kid));
  need(known.length, "bundle.unknown_root");
  for (const root of known) {
    const key = await importKey(root.point);
    if (key && (await holds(key, envelope))) return root;
  }
  throw new BundleError("bundle.forged");
}

/** Version first, then time, as with lists of trust. */
function goesBack(held, offered) {
  if (offered.version > held.version) return offered.issuedAt < held.issuedAt - SKEW_MS;
  if (offered.version < held.version || offered.issuedAt < held.issuedAt) return true;
  return offered.issuedAt === held.issuedAt && (offered.content !== held.content || offered.expiresAt !== held.expiresAt);
}

// ---------------------------------------------------------------- step 4: the content

function parse(payload) {
  const claims = reading(() => decodeCbor(payload));
  need(claims instanceof Map && has(claims, [ISS, EXP, IAT, RULES]));
  const said = claims.get(RULES);
  need(Array.isArray(said) && said.length === 3);
  const [form, version, content] = said;
  const issuer = claims.get(ISS);
  need(form === FORMAT && number(version, VERSION_END) === version && typeof content === "string" && typeof issuer === "string");
  const issuedAt = number(claims.get(IAT), TIME_END) * 1000;
  const expiresAt = number(claims.get(EXP), TIME_END) * 1000;
  need(expiresAt > issuedAt && expiresAt - issuedAt <= LIFE_MAX_MS);
  return { issuer, version, issuedAt, expiresAt, content, ...reading(() => contentOf(JSON.parse(content))) };
}

/** What the JSON says. What stands in a policy is not looked at here: a rule that makes no sense has no value. */
function contentOf({ checkpoint, periods, policies, reasons }) {
  need(typeof checkpoint.id === "string" && checkpoint.id && Array.isArray(policies) && Array.isArray(periods) && periods.length);
  need([checkpoint.kind, checkpoint.area].every((name) => name === null || typeof name === "string"));
  let last = -Infinity;
  const listed = periods.map((period, place) => {
    const begins = period.from === null ? -Infinity : told(period.from);
    need((place === 0 || begins > last) && typeof period.complete === "boolean" && Array.isArray(period.policies));
    last = begins;
    const { measure } = period;
    need(measure === null || (Array.isArray(measure.by_hand) && measure.by_hand.every((kind) => typeof kind === "string")));
    const its = period.policies.map((at) => {
      need(Number.isInteger(at) && at >= 0 && at < policies.length);
      return policies[at];
    });
    return { begins, measure, policies: its, isComplete: period.complete };
  });
  return { place: checkpoint.id, checkpoint, periods: listed, reasons: reasonsOf(reasons) };
}

/** A moment as evidence tells it, in ms; throws for anything else. */
function told(text) {
  const at = Date.parse(text);
  need(!Number.isNaN(at) && new Date(at).toISOString() === text);
  return at;
}

function number(item, end) {
  need(Number.isInteger(item) && item >= 0 && item < end);
  return item;
}

function has(map, keys) {
  return map.size === keys.length && keys.every((key) => map.has(key));
}

/** What `read` gives; whatever it stumbles over is a bundle that cannot be read. */
function reading(read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof CborError || error instanceof SyntaxError || error instanceof TypeError) {
      throw new BundleError("bundle.unreadable");
    }
    throw error;
  }
}

function need(holds, code = "bundle.unreadable") {
  if (!holds) throw new BundleError(code);
}

// ---------------------------------------------------------------- judging by it

/** What decides at `nowMs` by `bundle`: { book, measure }, compiled once. */
export function rulesAt(bundle, nowMs) {
  const period = bundle.periods.findLast(({ begins }) => begins <= nowMs) ?? bundle.periods[0];
  const { isComplete } = period;
  period.book ??= compileRulebook(period.policies, bundle.reasons, { isComplete });
  return { book: period.book, measure: period.measure };
}

/** The verdict on what belief.js `says` of a code, as core/decision.decide gives it; `confirmedAt` as kept. */
export function verdictOf(says, bundle, confirmedAt, nowMs) {
  const { book, measure } = rulesAt(bundle, nowMs);
  if (measure === null) {
    return { outcome: "accept", reasons: [bundle.reasons["measure.none_active"]], known: true, failed: [] };
  }
  return judge(evidenceOf(says, { measure, checkpoint: bundle.checkpoint, confirmedAt }, nowMs), book);
}

// ---------------------------------------------------------------- keeping it

/**
 * What this device holds of rules, and how it gets the next.
 *
 *   trust   of openTrust, with a list: its roots sign bundles
 *   store   { get(), put(record) }, async: one record, written whole or not at all
 *   fetch, url   where the bundle of this device is served; `timeoutMs` bounds the whole of it
 *
 * Gives { refresh(), held() }.
 */
export function openBundle({ trust, store, fetch, url = "/v1/bundle", timeoutMs = 20_000 }) {
  let refused = null; // why the newest offer was not taken
  let opening = null; // promise of { record, bundle }, both null when nothing is kept that can be read

  function kept() {
    opening ??= opened();
    opening.catch(() => (opening = null)); // the store failed: tried again with the next question
    return opening;
  }

  /** What is kept was verified when it came; the store is this device's own. */
  async function opened() {
    const record = await store.get();
    if (!record) return { record: null, bundle: null };
    try {
      return { record, bundle: { ...parse(open(record.raw).payload), signer: record.signer } };
    } catch (error) {
      refused = codeOf(error);
      return { record: null, bundle: null };
    }
  }

  const isRevoked = ({ signer }) => revokedPoints(trust.list).has(signer);

  async function keep(record, bundle) {
    await store.put(record); // if this fails, what is held and what is kept are both as before
    opening = Promise.resolve({ record, bundle });
    refused = null;
  }

  return {
    /** Fetches what is newer: { kind: "taken" | "same" } | { kind: "refused", code } | { kind: "away" }. */
    async refresh() {
      let { record, bundle } = await kept();
      if (bundle && isRevoked(bundle)) record = bundle = null; // who stole that root may have taken the versions to any height
      let response;
      let raw;
      try {
        const headers = record?.etag ? { "If-None-Match": record.etag } : {};
        const signal = AbortSignal.timeout(timeoutMs);
        response = await fetch(url, { headers, signal, cache: "no-store", credentials: "same-origin", redirect: "error" });
        if (response.status !== 200 && !(response.status === 304 && bundle)) return { kind: "away" };
        if (response.status === 200) raw = await readUpTo(response, BUNDLE_MAX_BYTES);
      } catch {
        return { kind: "away" };
      }
      const nowMs = trust.now();
      if (response.status === 304) {
        await keep({ ...record, confirmedAt: nowMs }, bundle);
        return { kind: "same" };
      }
      try {
        need(raw !== null, "bundle.too_large");
        const { roots, issuer } = trust.list;
        const next = await accept(raw, { roots, issuer, nowMs, held: bundle });
        await keep({ raw, etag: response.headers.get("etag"), signer: next.signer, confirmedAt: nowMs }, next);
        await trust.saw(next.issuedAt);
        return { kind: "taken" };
      } catch (error) {
        refused = codeOf(error);
        return { kind: "refused", code: refused };
      }
    },

    /**
     * What there is to judge by: { bundle, confirmedAt, code, refused }. `bundle` null: nothing, and `code` says why, or
     * is null if none was ever kept. `refused`: why the newest offer was not taken, or null.
     */
    async held() {
      const { record, bundle } = await kept();
      if (!bundle) return { bundle: null, confirmedAt: null, code: refused, refused };
      const isOver = trust.now() >= bundle.expiresAt;
      const code = isRevoked(bundle) ? "bundle.revoked_root" : isOver ? "bundle.over" : null;
      return { bundle: code ? null : bundle, confirmedAt: record.confirmedAt, code, refused };
    },
  };
}

/** The code of a refusal; anything else is a mistake, of ours or of the store, and goes on. */
function codeOf(error) {
  if (error instanceof BundleError) return error.code;
  throw error;
}
