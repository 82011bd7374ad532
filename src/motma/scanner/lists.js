// What became of codes, kept on this device for when nobody can be asked: fetches the status lists of the issuer whose
// list of trust is held, keeps the newest of each, and looks codes up in them. Every list is judged by status.js and
// against the floors of the list of trust; what would go back is refused, and what is held stays.
//
// Only the lists of our own issuer are fetched, from the server that this page came from: nothing on the page comes from
// elsewhere, and others' servers do not learn where scanners are. Of others' codes the status is not known here.

import { confirmed, isStale, lengthOf, LIST_INDEXES, listUri, statusOf, StatusError, TOKEN_MAX_BYTES, verifyStatusToken } from "./status.js";
import { judgeStatus, readUpTo, TrustError } from "./trust.js";

/**
 *   trust   of openTrust, with a list
 *   store   { get(uri), put(uri, record) }, async: each record written whole or not at all
 *   fetch, path   where the lists of our issuer are served: `{path}/{n}`; `timeoutMs` bounds the whole of each
 *
 * Gives { refresh(), of(key, claims) }.
 */
export function openLists({ trust, store, fetch, path = "/v1/status", timeoutMs = 60_000 }) {
  const refused = new Map(); // uri -> why the newest offer was not taken
  const held = new Map(); // uri -> promise of { record, token, code }; unpacked once, as far as 4 MB
  let ring = null;

  function heldAt(uri) {
    if (ring !== trust.list.keyring) held.clear(); // a key that signed one may be revoked by now
    ring = trust.list.keyring;
    if (!held.has(uri)) {
      held.set(uri, opened(uri));
      held.get(uri).catch(() => held.delete(uri)); // the store failed: tried again with the next question
    }
    return held.get(uri);
  }

  /** What is kept, judged as it was when it came, but by the keys of now. */
  async function opened(uri) {
    const record = await store.get(uri);
    if (!record) return { record: null, token: null, code: "status.missing" };
    try {
      const token = await verifyStatusToken(record.raw, trust.list.keyring, { uri, nowMs: record.takenAt });
      return { record, token: confirmed(token, record.fetchedAt), code: null };
    } catch (error) {
      return { record: null, token: null, code: codeOf(error) };
    }
  }

  async function keep(uri, record, token) {
    await store.put(uri, record); // if this fails, what is held and what is kept are both as before
    held.set(uri, Promise.resolve({ record, token, code: null }));
    refused.delete(uri);
    await trust.saw(token.issuedAt);
  }

  async function refreshOne(uri, url) {
    const { record, token } = await heldAt(uri);
    let response;
    let raw;
    try {
      const headers = record?.etag ? { "If-None-Match": record.etag } : {};
      const signal = AbortSignal.timeout(timeoutMs);
      response = await fetch(url, { headers, signal, cache: "no-store", credentials: "omit", redirect: "error" });
      if (response.status !== 200 && !(response.status === 304 && token)) return { kind: "away" };
      if (response.status === 200) raw = await readUpTo(response, TOKEN_MAX_BYTES);
    } catch {
      return { kind: "away" };
    }
    const nowMs = trust.now();
    if (response.status === 304) {
      await keep(uri, { ...record, fetchedAt: nowMs }, confirmed(token, nowMs));
      return { kind: "same" };
    }
    try {
      if (raw === null) throw new StatusError("status.unreadable");
      const asked = { uri, nowMs, previous: token, issuer: trust.list.issuer };
      const next = await verifyStatusToken(raw, trust.list.keyring, asked);
      judgeStatus(trust.list, uri, next.issuedAt);
      await keep(uri, { raw, etag: response.headers.get("etag"), takenAt: nowMs, fetchedAt: nowMs }, next);
      return { kind: "taken" };
    } catch (error) {
      refused.set(uri, codeOf(error));
      return { kind: "refused", code: codeOf(error) };
    }
  }

  /** Where lists of ours begin, by our keys; only where the list of trust expects some, if it says so at all. */
  function bases() {
    const { issuer, keyring, status } = trust.list;
    const ours = [...keyring.values()].flat().filter((key) => key.issuer === issuer && key.statusUri && !key.revoked);
    const all = [...new Set(ours.map((key) => key.statusUri.replace(/\/+$/, "")))];
    const expected = all.filter((base) => [...status.keys()].some((uri) => uri === base || uri.startsWith(`${base}/`)));
    return expected.length ? expected : all;
  }

  return {
    /** Fetches what is newer; { uri: what became of it }. Throws only what `store.put` throws. */
    async refresh() {
      const told = {};
      for (const base of bases()) {
        // A list is begun when the one before is full.
        for (let n = 0, isFull = true; isFull && n < 256; n++) {
          const uri = `${base}/${n}`;
          told[uri] = await refreshOne(uri, `${path}/${n}`);
          const { token } = await heldAt(uri);
          isFull = token !== null && lengthOf(token.list) >= LIST_INDEXES;
        }
      }
      return told;
    },

    /**
     * What is known of the code with `claims` under `key`, as verifyCode gives them:
     *   said      one of STATUSES, or null: nothing
     *   code      why nothing is known: of status.js or trust.js, or "status.elsewhere"; null if it is. With
     *             "status.expired", `said` is what it was when the list was good
     *   refused   why the newest list that was offered was not taken, or null
     *   ageMs     since the server last said that the list is its newest; null without one
     *   isStale   whether there should have been a newer one by now
     */
    async of(key, { issuer, statusIndex }) {
      const nothing = { said: null, refused: null, ageMs: null, isStale: false };
      if (key.issuer !== trust.list.issuer || !key.statusUri) return { ...nothing, code: "status.elsewhere" };
      const uri = listUri(key.statusUri, statusIndex);
      const nowMs = trust.now();
      const known = { ...nothing, refused: refused.get(uri) ?? null };
      try {
        const { token, code } = await heldAt(uri);
        if (!token) return { ...known, code };
        if (token.issuer !== issuer) throw new StatusError("status.wrong_issuer");
        Object.assign(known, { ageMs: Math.max(0, nowMs - token.fetchedAt), isStale: isStale(token, nowMs) });
        judgeStatus(trust.list, uri, token.issuedAt);
        const said = statusOf(token, statusIndex);
        return { ...known, said, code: nowMs < token.expiresAt ? null : "status.expired" };
      } catch (error) {
        return { ...known, code: codeOf(error) };
      }
    },
  };
}

/** The code of a refusal; anything else is a mistake, of ours or of the store, and goes on. */
function codeOf(error) {
  if (error instanceof StatusError || error instanceof TrustError) return error.code;
  throw error;
}
