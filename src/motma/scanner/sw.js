// Lets the scanner open without a network. The server puts `self.motma` before this text:
//   version   hash of everything below it      assets   addresses with that hash in them, so that none is ever stale
//   shell     the scanner without names, for opening without a network
// Answers of the server about people are never kept: only what is listed here is.

const { version, assets, shell } = self.motma;
const CACHE = `motma-scan-${version}`;
const PATIENCE_MS = 4000;

self.addEventListener("install", (event) => {
  const fresh = new Request(shell, { cache: "reload" });
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll([...assets, fresh]))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  const isOld = (name) => name.startsWith("motma-scan-") && name !== CACHE;
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter(isOld).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.mode === "navigate" && url.pathname === "/scan") event.respondWith(page(request));
  else if (assets.includes(url.pathname)) event.respondWith(asset(request));
});

// The server knows whether there is a shift, so it is asked first; when it is silent, the copy without names.
async function page(request) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), PATIENCE_MS);
  try {
    const response = await fetch(request, { signal: abort.signal });
    if (response.status < 500) return response;
  } catch {
    // no network, or too slow
  } finally {
    clearTimeout(timer);
  }
  return (await caches.match(shell, { ignoreVary: true })) ?? Response.error();
}

async function asset(request) {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}
