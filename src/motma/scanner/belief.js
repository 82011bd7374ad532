// What this device can say of a code when the server cannot be asked: by the list of trust that it keeps (trust.js).
// That is never a verdict. Who signed it and until when is known here; what was revoked, and what holds now, is not.

import { CodeError, codeSays, verifyCode } from "./code.js";
import { bytesOf } from "./cose.js";
import { openTrust } from "./trust.js";

const FORGED = new Set(["code.forged", "code.wrong_issuer", "code.proof_forged"]);

/**
 *   store   { get(name), put(name, value) }, async: of this device, see deviceStore
 *   open    openTrust, or another in its place for tests
 *
 * Gives { refresh(), says(text) }. Neither ever fails: a device that cannot keep or fetch anything only has less to say.
 */
export function openBelief({ store, fetch, clock = Date.now, open = openTrust }) {
  let trust = null;

  async function opened() {
    const pins = (await store.get("pins")) ?? (await firstPins());
    const list = { get: () => store.get("list"), put: (record) => store.put("list", record) };
    return open({ pins, store: list, fetch, url: "/v1/trust-list", clock });
  }

  /** Asked for once, of the server that enrolled this device; whoever serves lists later cannot change them. */
  async function firstPins() {
    const response = await fetch("/v1/trust-list/roots", { credentials: "same-origin", cache: "no-store", redirect: "error" });
    if (!response.ok) throw new Error(`no roots: ${response.status}`);
    const { issuer, roots } = await response.json();
    const pins = { issuer, roots: roots.map(({ kid, x, y }) => ({ kid, point: bytesOf(`04${x}${y}`) })) };
    await store.put("pins", pins);
    return pins;
  }

  return {
    /** Takes a newer list if there is one. */
    async refresh() {
      try {
        trust ??= await opened();
        await trust.refresh();
      } catch {
        // Tried again with the next one.
      }
    },

    /**
     * What codeSays says, and whether the list is `stale`; { when: "forged" } for a signature that is wrong; null where
     * nothing is known: not a code of ours, a signer that is not in the list, no list.
     */
    async says(text) {
      const keyring = trust?.list?.keyring;
      if (!keyring) return null;
      try {
        return { ...codeSays(await verifyCode(text, keyring), trust.now()), stale: trust.standing() === "stale" };
      } catch (error) {
        return error instanceof CodeError && FORGED.has(error.code) ? { when: "forged" } : null;
      }
    },
  };
}

/** What is kept on this device, in IndexedDB. */
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
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  }

  return {
    get: (name) => run("readonly", (kept) => kept.get(name)),
    put: (name, value) => run("readwrite", (kept) => kept.put(value, name)),
  };
}
