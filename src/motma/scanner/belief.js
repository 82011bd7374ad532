// What this device can say of a code when the server cannot be asked: by the list of trust that it keeps (trust.js), the
// lists of what became of codes (lists.js) and the rules of its checkpoint (bundle.js). It says what is known, the verdict
// that follows, and how old that is; offline.js makes a view of it.

import { openBundle, verdictOf } from "./bundle.js";
import { CodeError, codeSays, liveness, verifyCode } from "./code.js";
import { bytesOf } from "./cose.js";
import { openLists } from "./lists.js";
import { openTrust, TrustError } from "./trust.js";

const SKEW_MIN_MS = 2000; // the server tells its time in whole seconds
const ROUND_TRIP_MAX_MS = 4000;
const ROOTS_TIMEOUT_MS = 20_000;
const NO_RULES = { bundle: null, confirmedAt: null, code: null, refused: null };
const NOBODY = { problem: "code.not_ours", code: null, status: null, keys: { ageMs: null, isStale: false } };
const UNKNOWN = { said: null, code: "status.missing", refused: null, ageMs: null, isStale: false };

/**
 *   store    as deviceStore, async
 *   device   the enrolment that the page was served to; null for the copy that opened without a network
 *   open     openTrust, or another in its place for tests
 *
 * Gives { refresh(), says(text) }. Neither ever fails: a device that cannot keep or fetch anything only has less to say.
 */
export function openBelief({ store, fetch, clock = Date.now, device = null, open = openTrust }) {
  let hasBegun = false;
  let opening = null; // promise of { trust, lists, rules, heardAt }, or of null when nothing is kept yet
  let refused = null; // why the newest list of trust was not taken
  let turn = Promise.resolve();
  let skewMs = 0; // how far this device's clock is behind the server's

  const now = () => clock() + skewMs;

  /** What is kept, without asking anybody. */
  function kept() {
    opening ??= openKept().catch((error) => {
      opening = null;
      if (error instanceof TrustError) refused = error.code;
      return null;
    });
    return opening;
  }

  async function openKept() {
    const pins = await store.get("pins");
    if (!pins) {
      opening = null;
      return null;
    }
    skewMs = (await store.get("skew")) ?? 0;
    const list = { get: () => store.get("list"), put: (record) => store.put("list", record) };
    const trust = await open({ pins, store: list, fetch: timed, url: "/v1/trust-list", clock: now });
    const statuses = { get: (uri) => store.get(`status:${uri}`), put: (uri, record) => store.put(`status:${uri}`, record) };
    const lists = openLists({ trust, store: statuses, fetch: timed });
    const record = { get: () => store.get("bundle"), put: (kept) => store.put("bundle", kept) };
    const rules = openBundle({ trust, store: record, fetch: timed });
    return { trust, lists, rules, heardAt: await store.get("heard") };
  }

  /**
   * Takes the roots once, from the server that enrolled this device: whoever serves lists later cannot change them.
   * Enrolled anew, perhaps by another authority, the device begins anew: roots of before would refuse every list. Nobody
   * but that server can bring this about, since the page and this script are its own.
   */
  async function begin() {
    const pins = await store.get("pins");
    hasBegun = pins !== undefined && (device === null || pins.device === device);
    if (hasBegun) return;
    const signal = AbortSignal.timeout(ROOTS_TIMEOUT_MS);
    const options = { signal, credentials: "same-origin", cache: "no-store", redirect: "error" };
    const response = await fetch("/v1/trust-list/roots", options);
    if (!response.ok) throw new Error(`no roots: ${response.status}`);
    const { issuer, roots } = await response.json();
    const given = roots.map(({ kid, x, y }) => ({ kid, point: bytesOf(`04${x}${y}`) }));
    await store.replace({ pins: { device, issuer, roots: given } });
    hasBegun = true; // once to a page: another tab may stay open that is of the enrolment before
    opening = refused = null;
    skewMs = 0;
  }

  async function refresh() {
    if (!hasBegun) await begin().catch(() => {}); // with roots of before there may still be something to say
    const held = await kept();
    if (!held) return;
    const told = await held.trust.refresh();
    if (told.kind !== "away") refused = told.kind === "refused" ? told.code : null;
    if (told.kind === "taken" || told.kind === "same") {
      held.heardAt = now();
      await store.put("heard", held.heardAt);
    }
    if (!held.trust.list) return;
    await held.lists.refresh();
    await held.rules.refresh();
    const { bundle, confirmedAt } = await held.rules.held();
    if (bundle) verdictOf(NOBODY, bundle, confirmedAt, held.trust.now()); // made ready before somebody waits for it
  }

  /** `fetch`, which learns from answers how far the clocks are apart. */
  async function timed(url, options) {
    const sentAt = clock();
    const response = await fetch(url, options);
    const tookMs = clock() - sentAt;
    const serverAt = Date.parse(response.headers.get("date") ?? "") + 500;
    if (!Number.isFinite(serverAt) || response.status >= 400 || tookMs < 0 || tookMs > ROUND_TRIP_MAX_MS) return response;
    const apartMs = Math.round(serverAt - sentAt - tookMs / 2);
    const next = Math.abs(apartMs) < SKEW_MIN_MS ? 0 : apartMs;
    if (Math.abs(next - skewMs) >= SKEW_MIN_MS) await store.put("skew", (skewMs = next)).catch(() => {});
    return response;
  }

  return {
    /** Takes newer lists if there are any. One after another. */
    refresh() {
      turn = turn.then(refresh).catch(() => {}); // tried again with the next one
      return turn;
    },

    /**
     * What is known of `text` here, without asking anybody; null if even looking fails.
     *   problem   why it is no code to go by: of code.js, or "trustlist.none"; null if it is one
     *   code      what codeSays says, with `live`, `worth`, `matched`; null with a problem
     *   status    what lists.js says of it; null with a problem
     *   keys      of the list of trust: { ageMs since the server last confirmed it, or null; isStale; refused }
     *   verdict   what follows by the rules of this device, as policy.js gives it; null without rules
     *   rules     { ageMs since the server last confirmed them, or null; code: why there are none; refused }
     */
    async says(text) {
      try {
        const held = await kept();
        if (!held?.trust.list) {
          const nothing = { code: null, status: null, verdict: null, rules: { ageMs: null, code: null, refused: null } };
          return { problem: "trustlist.none", ...nothing, keys: { ageMs: null, isStale: false, refused } };
        }
        const { trust, lists, rules, heardAt } = held;
        const nowMs = trust.now();
        const ageMs = typeof heardAt === "number" ? Math.max(0, nowMs - heardAt) : trust.ageMs();
        const keys = { ageMs, isStale: trust.standing() === "stale", refused };
        const verified = await verifyCode(text, trust.list.keyring).catch((error) => {
          if (error instanceof CodeError) return error;
          throw error;
        });
        const { bundle, confirmedAt, code: lacking, refused: offer } = await rules.held().catch(() => NO_RULES);
        const judged = (said) => ({
          ...said,
          verdict: bundle && verdictOf(said, bundle, confirmedAt, nowMs),
          rules: { ageMs: bundle && Math.max(0, nowMs - confirmedAt), code: lacking, refused: offer },
        });
        if (verified instanceof CodeError) return judged({ problem: verified.code, code: null, status: null, keys });
        const { claims, key } = verified;
        const { worth, matched, issuedAt } = claims;
        const code = { ...codeSays(verified, nowMs), live: liveness(verified, nowMs), worth, matched, issuedAt };
        const status = await lists.of(key, claims).catch(() => UNKNOWN); // what the code says is known without a store
        return judged({ problem: null, code, status, keys });
      } catch {
        return null;
      }
    },
  };
}

/** What is kept on this device, in IndexedDB. Each call is one transaction: done whole or not at all. */
export function deviceStore() {
  let database = null;

  function open() {
    return new Promise((resolve, reject) => {
      const request = indexedDB.open("motma", 1);
      request.onupgradeneeded = () => request.result.createObjectStore("kept");
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }

  async function run(mode, act) {
    database ??= await open();
    return new Promise((resolve, reject) => {
      const transaction = database.transaction("kept", mode);
      const request = act(transaction.objectStore("kept"));
      transaction.oncomplete = () => resolve(request?.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  }

  return {
    get: (name) => run("readonly", (kept) => kept.get(name)),
    put: (name, value) => run("readwrite", (kept) => kept.put(value, name)),
    /** Forgets everything, and keeps these instead. */
    replace: (values) =>
      run("readwrite", (kept) => {
        kept.clear();
        for (const [name, value] of Object.entries(values)) kept.put(value, name);
      }),
  };
}
