// Lets the code page open without signal. The server puts `self.motma` before this text:
//   version   hash of what the page is made of      parts   its addresses, each with the hash of its content
// Of all pages only the code page is kept, and of it only what the server said last: its header `motma-code` tells
// which code of which browser the page shows ("1 5be0…"), or "none". The first sign of another browser's wallet, or of
// none, and everything is forgotten.

const { version, parts } = self.motma;
const PARTS = `motma-code-parts-${version}`;
const PAGES = "motma-code-pages";
const WHOSE = "motma-code";
const PATIENCE_MS = 4000;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(PARTS)
      .then((cache) => cache.addAll(parts))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  const isOld = (name) => name.startsWith("motma-code-parts-") && name !== PARTS;
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter(isOld).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && url.pathname === "/code") event.respondWith(page(event, url));
  else if (url.pathname.startsWith("/static/")) event.respondWith(part(request));
});

// A page that was loaded before this worker was there, or whose code has just been bound to a key.
self.addEventListener("message", (event) => {
  const address = event.data?.keep;
  if (typeof address !== "string" || !/^\/code\?n=\d{1,3}$/.test(address)) return;
  event.waitUntil(fetch(address, { credentials: "same-origin" }).then(keep, () => {}));
});

async function page(event, url) {
  const kept = await find(url);
  const asked = fetch(event.request).then(async (response) => {
    await keep(response.clone());
    return response;
  });
  if (!kept) return asked;
  event.waitUntil(asked.catch(() => {})); // an answer that comes too late is still the page of next time
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
  const response = await Promise.race([asked, late]).catch(() => null);
  return response && response.status < 500 ? response : kept;
}

async function keep(response) {
  const whose = response.headers.get(WHOSE);
  if (!whose || response.redirected) return;
  if (whose === "none") return forget();
  if (!response.ok) return;
  const [number, holds] = whose.split(" ");
  const cache = await caches.open(PAGES);
  for (const request of await cache.keys()) {
    const old = await cache.match(request, { ignoreVary: true });
    if (old?.headers.get(WHOSE)?.split(" ")[1] !== holds) await cache.delete(request, { ignoreVary: true });
  }
  const address = `/code?n=${number}`;
  await cache.delete(address, { ignoreVary: true });
  await cache.put(address, response); // the last one is the last page that was looked at
}

/** The page of the number that is asked for; without a number the first; in its absence none but the only one. */
async function find(url) {
  if (!(await caches.has(PAGES))) return undefined;
  const cache = await caches.open(PAGES);
  const wanted = await cache.match(`/code?n=${url.searchParams.get("n") ?? 1}`, { ignoreVary: true });
  const last = (await cache.keys()).at(-1);
  return wanted ?? (url.searchParams.has("n") || !last ? undefined : cache.match(last, { ignoreVary: true }));
}

async function forget() {
  await caches.delete(PAGES);
  indexedDB.deleteDatabase("motma-live");
}

// Addresses hold the hash of their content. A page kept from before an update may ask for an older one: better today's.
async function part(request) {
  const kept = await caches.match(request, { cacheName: PARTS, ignoreVary: true });
  if (kept) return kept;
  try {
    return await fetch(request);
  } catch {
    const other = await caches.match(request, { cacheName: PARTS, ignoreVary: true, ignoreSearch: true });
    return other ?? Response.error();
  }
}
