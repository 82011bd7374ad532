// The device's judgement of lists of trust, on the vectors that the server's is held to; then keeping and fetching, with
// a real server on this machine.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import { after, before, test } from "node:test";

import { accept, judgeStatus, LIST_MAX_BYTES, openTrust, revokedPoints, TrustError } from "../../src/motma/scanner/trust.js";

const VECTORS = JSON.parse(readFileSync(new URL("../../vectors/trust/lists.json", import.meta.url), "utf8"));
const PINS = {
  issuer: VECTORS.pins.issuer,
  roots: VECTORS.pins.roots.map(({ kid, x, y }) => ({ kid, point: Uint8Array.from(Buffer.from(`04${x}${y}`, "hex")) })),
};
const DAY = 86_400_000;

const bytesOf = (name) => Uint8Array.from(Buffer.from(VECTORS.lists[name], "base64"));
const caseOf = (about) => VECTORS.cases.find((one) => one.about === about);
const offersOf = (about) => caseOf(about).steps.map(({ list, now }) => ({ raw: bytesOf(list), now: now * 1000 }));

function offered({ list, padded_to: length = 0 }) {
  const raw = bytesOf(list);
  if (raw.length >= length) return raw;
  const padded = new Uint8Array(length);
  padded.set(raw);
  return padded;
}

async function codeOf(promise) {
  try {
    await promise;
    return "accepted";
  } catch (error) {
    assert.ok(error instanceof TrustError, error.stack);
    return error.code;
  }
}

for (const { attack, about, steps, state } of VECTORS.cases) {
  test(`trust: ${attack}: ${about}`, async () => {
    let held = PINS;
    for (const step of steps) {
      const became = await codeOf(
        (async () => {
          if (step.status) judgeStatus(held, step.status, step.issued_at * 1000);
          else held = await accept(held, offered(step), step.now * 1000);
        })(),
      );
      assert.equal(became, step.expect);
    }
    if (!state) return;
    const now = (steps.at(-1).now ?? 0) * 1000;
    const is = {
      version: held.version,
      issued_at: held.issuedAt / 1000,
      roots: held.roots.filter((root) => !root.revoked).map((root) => root.kid),
      revoked: revokedPoints(held).size,
      stale: now >= held.expiresAt,
    };
    assert.deepEqual(Object.fromEntries(Object.keys(state).map((name) => [name, is[name]])), state);
  });
}

test("a list that is changed in any bit is refused, and by a reason", async () => {
  const [{ raw, now }] = offersOf("the first list");
  for (let bit = 0; bit < raw.length * 8; bit += 7) {
    const other = raw.slice();
    other[bit >> 3] ^= 1 << (bit & 7);
    assert.match(await codeOf(accept(PINS, other, now)), /^trustlist\./, `bit ${bit}`);
  }
});

test("what is read of a key is what scanner/code.js asks for", async () => {
  const [{ raw, now }] = offersOf("the first list");
  const { keyring } = await accept(PINS, raw, now);
  const theirs = [...keyring.values()].flat().find((key) => key.issuer === "platform.test");
  const { point, ...rest } = theirs;
  assert.deepEqual([point.length, point[0]], [65, 4]);
  assert.deepEqual(rest, {
    issuer: "platform.test",
    notBefore: Date.UTC(2026, 0, 17, 7),
    notAfter: Date.UTC(2026, 3, 18, 7),
    measures: ["demo-hcmc"],
    areas: ["79"],
    revoked: false,
    statusUri: "https://platform.test/lists",
  });
});

// ---------------------------------------------------------------- keeping

function memory(record = null) {
  return {
    record,
    async get() {
      return this.record;
    },
    async put(next) {
      this.record = structuredClone(next);
    },
  };
}

const ONCE = { pins: PINS, fetch: () => assert.fail("nothing is to be fetched"), url: "" };

test("a list outlives the page; pins count no more after it", async () => {
  const store = memory();
  const [first, second] = offersOf("a newer list that revokes a key");
  const before = await openTrust({ ...ONCE, store, clock: () => second.now });
  assert.equal(before.standing(), "none");
  assert.equal(await before.offer(first.raw), "taken");
  assert.equal(await before.offer(second.raw), "taken");
  const again = await openTrust({ ...ONCE, pins: { issuer: "other.test", roots: [] }, store, clock: () => second.now });
  assert.deepEqual([again.list.version, revokedPoints(again.list).size], [6, 1]);
  assert.equal(await codeOf(again.offer(first.raw)), "trustlist.rolled_back");
  assert.equal(again.list.version, 6);
});

test("a store that fails leaves the old list, here and kept", async () => {
  const store = memory();
  const [first, second] = offersOf("a newer list that revokes a key");
  const trust = await openTrust({ ...ONCE, store, clock: () => second.now });
  await trust.offer(first.raw);
  const put = store.put;
  store.put = async () => {
    throw new Error("QuotaExceededError");
  };
  await assert.rejects(trust.offer(second.raw), /Quota/);
  assert.equal(trust.list.version, 5);
  store.put = put;
  assert.equal((await openTrust({ ...ONCE, store, clock: () => second.now })).list.version, 5);
  assert.equal(await trust.offer(second.raw), "taken");
});

test("two offers at once are taken one after another", async () => {
  const [first, second] = offersOf("a newer list that revokes a key");
  const trust = await openTrust({ ...ONCE, store: memory(), clock: () => second.now });
  const [newer, older] = await Promise.all([codeOf(trust.offer(second.raw)), codeOf(trust.offer(first.raw))]);
  assert.deepEqual([newer, older, trust.list.version], ["accepted", "trustlist.rolled_back", 6]);
});

test("an expired list is judged by and called stale; a clock set back does not make it fresh", async () => {
  const store = memory();
  const [{ raw, now }] = offersOf("the first list");
  let clock = now;
  const trust = await openTrust({ ...ONCE, store, clock: () => clock });
  await trust.offer(raw);
  assert.equal(trust.standing(), "fresh");
  clock = now + 8 * DAY;
  assert.equal(trust.standing(), "stale");
  assert.ok(trust.list.keyring.size > 0 && trust.ageMs() > 8 * DAY);
  await trust.saw(clock); // a status list of that time
  clock = now;
  assert.equal(trust.standing(), "stale");
  const again = await openTrust({ ...ONCE, store, clock: () => now - 100 * DAY });
  assert.equal(again.standing(), "stale");
  await again.saw(now); // an earlier time changes nothing
  assert.equal(again.now(), now + 8 * DAY);
});

test("a store that holds rubbish is told, and not taken for an empty one", async () => {
  const store = memory({ raw: new Uint8Array(9), seen: 0, etag: null });
  assert.equal(await codeOf(openTrust({ ...ONCE, store })), "trustlist.unreadable");
});

// ---------------------------------------------------------------- fetching

let server;
let url;
let answer; // (request, response)

before(async () => {
  server = http.createServer((request, response) => answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${server.address().port}/v1/trust-list`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const serve = (raw, etag = '"1"') => (request, response) =>
  request.headers["if-none-match"] === etag ? response.writeHead(304).end() : response.writeHead(200, { etag }).end(raw);
const opened = (now, more = {}) => openTrust({ pins: PINS, store: memory(), fetch, url, clock: () => now, ...more });

test("fetched, and not fetched again while it is the newest", async () => {
  const [first, second] = offersOf("a newer list that revokes a key");
  const trust = await opened(second.now);
  answer = serve(first.raw);
  assert.deepEqual([await trust.refresh(), await trust.refresh()], [{ kind: "taken" }, { kind: "same" }]);
  answer = serve(second.raw, '"2"');
  assert.deepEqual([await trust.refresh(), trust.list.version], [{ kind: "taken" }, 6]);
  answer = serve(first.raw, '"3"');
  assert.deepEqual(await trust.refresh(), { kind: "refused", code: "trustlist.rolled_back" });
  assert.equal(trust.list.version, 6);
});

test("whatever a network does, the list at hand stays", async () => {
  const [{ raw, now }] = offersOf("the first list");
  const trust = await opened(now, { timeoutMs: 150 });
  answer = serve(raw);
  await trust.refresh();
  const away = {
    "an error": (_, response) => response.writeHead(503).end(),
    "a log-in": (_, response) => response.writeHead(302, { location: "/login" }).end(),
    "half of it": (_, response) => response.writeHead(200, { "content-length": raw.length }).write(raw.slice(0, 99), () => response.destroy()),
    "a byte, and then nothing": (_, response) => response.writeHead(200).write("x"),
    silence: () => {},
  };
  for (const [about, does] of Object.entries(away)) {
    answer = does;
    assert.deepEqual(await trust.refresh(), { kind: "away" }, about);
  }
  answer = serve("<!doctype html><title>Wi-Fi</title>", '"wifi"');
  assert.deepEqual(await trust.refresh(), { kind: "refused", code: "trustlist.unreadable" });
  assert.equal(trust.list.version, 5);
});

test("endless data is not read to its end", async () => {
  const trust = await opened(Date.now());
  let sent = 0;
  answer = (_, response) => {
    response.writeHead(200);
    const more = () => {
      while (!response.destroyed && sent < 64 * LIST_MAX_BYTES && response.write(Buffer.alloc(65_536))) sent += 65_536;
      if (!response.destroyed) response.once("drain", more);
    };
    more();
  };
  assert.deepEqual(await trust.refresh(), { kind: "refused", code: "trustlist.too_large" });
  assert.ok(sent < 64 * LIST_MAX_BYTES, `${sent} bytes were sent`);
  assert.equal(trust.list, null);
});
