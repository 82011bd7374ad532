// What the holder's browser keeps: a key of its own for each code, which cannot leave it, and how wrong its clock is.
// No name, no code, no number of a document. Everything may be missing at any time; then the code is a static one.

const DATABASE = "motma-live";
const STORE = "kept";
const SKEW = "skew";
const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const HOW = { name: "ECDSA", hash: "SHA-256" };

/** Whether this browser can keep a key and sign with it. */
export const isAble = Boolean(globalThis.crypto?.subtle && globalThis.indexedDB);

/**
 * The key for the code of `qid`, made the first time: {point: its public part, 65 bytes, sign(bytes): 64 bytes}.
 * Two tabs that ask at the same moment get the same key. Rejects where nothing can be kept (a private window).
 */
export async function holderKey(qid) {
  const name = `key:${qid}`;
  let kept = await ask("readonly", (store) => store.get(name));
  if (!kept) {
    const made = await crypto.subtle.generateKey(CURVE, false, ["sign"]);
    const point = new Uint8Array(await crypto.subtle.exportKey("raw", made.publicKey));
    // One transaction looks and writes, so the tab that comes second finds the key of the first.
    kept = await ask("readwrite", (store, answer) => {
      store.get(name).onsuccess = ({ target }) => {
        if (target.result) return answer(target.result);
        const fresh = { key: made.privateKey, point };
        store.put(fresh, name);
        answer(fresh);
      };
    });
  }
  return {
    point: kept.point,
    sign: async (bytes) => new Uint8Array(await crypto.subtle.sign(HOW, kept.key, bytes)),
  };
}

/** How many milliseconds the server's clock is ahead of this one, as of the last contact; 0 when there was none. */
export async function recallSkew() {
  return globalThis.indexedDB ? ((await ask("readonly", (store) => store.get(SKEW)).catch(() => 0)) ?? 0) : 0;
}

/** Keep it for when there is no signal. */
export async function keepSkew(milliseconds) {
  if (globalThis.indexedDB) await ask("readwrite", (store) => store.put(milliseconds, SKEW)).catch(() => {});
}

/** Forget every key and the clock. */
export async function forgetKeys() {
  if (globalThis.indexedDB) await ask("readwrite", (store) => store.clear()).catch(() => {});
}

// The database is closed after every use: an open one would stop another tab, or the service worker, from removing it.
async function ask(mode, work) {
  const database = await new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
    opening.onblocked = () => reject(new Error("blocked"));
  });
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      let answered;
      const request = work(transaction.objectStore(STORE), (value) => (answered = value));
      transaction.oncomplete = () => resolve(answered ?? request?.result);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}
