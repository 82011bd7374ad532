import assert from "node:assert/strict";
import { test } from "node:test";

import { openLists } from "../../src/motma/scanner/lists.js";
import { entryOf, memory, newKey, statusToken } from "./forge.js";

const BASE = "https://motma.test/v1/status";
const T = 1_768_719_600_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const KEY = await newKey();
const OTHER = await newKey();
const FULL = 2 ** 24;

/** A device, its clock at `at`, and a server that gives out `serves[path]`. */
function device({ keys = [entryOf(KEY)], floors = [[BASE, T - HOUR]], store = memory(), at = T + MINUTE } = {}) {
  const ring = new Map([[KEY.kid, [keys[0]]], [OTHER.kid, [keys[1] ?? entryOf(OTHER)]]]);
  const it = { at, serves: {}, asked: [], store, list: { issuer: "motma.test", keyring: ring, status: new Map(floors) } };
  it.trust = { get list() { return it.list; }, now: () => it.at, saw: async (ms) => void (it.saw = ms) }; // prettier-ignore
  it.fetch = async (url, { headers }) => {
    it.asked.push({ url, etag: headers["If-None-Match"] ?? null });
    const served = it.serves[url];
    if (served === undefined) throw new TypeError("offline");
    if (typeof served === "number") return new Response(null, { status: served });
    if (headers["If-None-Match"] === served.etag) return new Response(null, { status: 304 });
    return new Response(served.raw, { headers: { etag: served.etag } });
  };
  it.open = () => (it.lists = openLists({ trust: it.trust, store: it.store, fetch: it.fetch }));
  it.open();
  it.says = (statusIndex, key = entryOf(KEY), issuer = "motma.test") => it.lists.of(key, { issuer, statusIndex });
  it.serve = async (options = {}, key = KEY, n = 0) => {
    const raw = await statusToken(key, { uri: `${BASE}/${n}`, issuedAt: T, statuses: { 5: 1, 6: 2, 7: 3 }, ...options });
    it.serves[`/v1/status/${n}`] = { raw, etag: `"${Math.random()}"` };
  };
  return it;
}

test("fetched from the page's own server, kept, and told: what became of a code, and how old that is", async () => {
  const it = device();
  await it.serve();
  assert.deepEqual(await it.lists.refresh(), { [`${BASE}/0`]: { kind: "taken" } });
  assert.deepEqual(it.asked, [{ url: "/v1/status/0", etag: null }]);
  assert.equal(it.saw, T);
  it.at += 2 * MINUTE;
  const told = await Promise.all([4, 5, 6, 7].map((index) => it.says(index)));
  assert.deepEqual(told.map(({ said }) => said), ["valid", "revoked", "suspended", "check_again"]);
  assert.deepEqual(told[1], { said: "revoked", code: null, refused: null, ageMs: 2 * MINUTE, isStale: false });
});

test("what is kept is enough after the network is gone, and stale is told, not refused", async () => {
  const it = device();
  await it.serve();
  await it.lists.refresh();
  it.serves = {};
  it.open();
  it.at = T + 3 * HOUR;
  assert.deepEqual(await it.lists.refresh(), { [`${BASE}/0`]: { kind: "away" } });
  const { said, code, isStale, ageMs } = await it.says(5);
  assert.deepEqual([said, code, isStale, ageMs], ["revoked", null, true, 3 * HOUR - MINUTE]);
});

test("asked again, the server need not send it again; and that counts as fetched", async () => {
  const it = device();
  await it.serve();
  await it.lists.refresh();
  it.at += 10 * MINUTE;
  assert.equal((await it.says(5)).isStale, true);
  assert.deepEqual(await it.lists.refresh(), { [`${BASE}/0`]: { kind: "same" } });
  assert.equal(it.asked[1].etag, it.serves["/v1/status/0"].etag);
  it.open();
  const { isStale, ageMs } = await it.says(5);
  assert.deepEqual([isStale, ageMs], [false, 0]);
});

test("rolled back, shrunk, forged, of another address, below the floor: refused, and what is held stays, to the byte", async () => {
  const it = device();
  await it.serve();
  await it.lists.refresh();
  const before = it.store.held[`${BASE}/0`];
  const forged = async () => {
    await it.serve({ issuedAt: T + MINUTE });
    it.serves["/v1/status/0"].raw[200] ^= 1;
  };
  const offers = {
    "status.rolled_back": () => it.serve({ issuedAt: T - MINUTE, statuses: {} }),
    "status.shrunk": () => it.serve({ issuedAt: T + MINUTE, length: 2 ** 16 }),
    "status.forged": forged,
    "status.wrong_uri": () => it.serve({ issuedAt: T + MINUTE, uri: `${BASE}/1` }),
    "status.not_yet": () => it.serve({ issuedAt: T + HOUR }),
    "status.unreadable": async () => void (it.serves["/v1/status/0"] = { raw: new Uint8Array(2 ** 23 + 1), etag: "x" }),
  };
  for (const [code, offer] of Object.entries(offers)) {
    await offer();
    assert.deepEqual(await it.lists.refresh(), { [`${BASE}/0`]: { kind: "refused", code } });
    assert.equal(it.store.held[`${BASE}/0`], before, code);
    const { said, refused } = await it.says(5);
    assert.deepEqual([said, refused], ["revoked", code]);
  }
  await it.serve({ issuedAt: T + MINUTE, statuses: { 5: 1, 8: 1 } });
  await it.lists.refresh();
  assert.deepEqual([(await it.says(8)).said, (await it.says(8)).refused], ["revoked", null]);
  it.list = { ...it.list, status: new Map([[BASE, T + HOUR]]) };
  await it.serve({ issuedAt: T + 2 * MINUTE });
  assert.equal((await it.lists.refresh())[`${BASE}/0`].code, "trustlist.mixed");
});

test("a held list below the floor of a new list of trust says nothing any more", async () => {
  const it = device();
  await it.serve();
  await it.lists.refresh();
  it.list = { ...it.list, status: new Map([[BASE, T + HOUR]]) };
  const { said, code } = await it.says(5);
  assert.deepEqual([said, code], [null, "trustlist.mixed"]);
});

test("a list by a key that was revoked since is not believed, and holds back no other", async () => {
  const it = device();
  await it.serve({ issuedAt: T + MINUTE, length: 2 ** 18 });
  await it.lists.refresh();
  assert.equal((await it.says(5)).said, "revoked");
  it.list = { ...it.list, keyring: new Map([[KEY.kid, [entryOf(KEY, { revoked: true })]], [OTHER.kid, [entryOf(OTHER)]]]) };
  assert.equal((await it.says(5)).code, "status.revoked_key");
  await it.serve({ statuses: { 9: 1 } }, OTHER);
  assert.deepEqual(await it.lists.refresh(), { [`${BASE}/0`]: { kind: "taken" } });
  assert.equal((await it.says(9)).said, "revoked");
});

test("no list, a code beyond its end, a list that is over: each has its name", async () => {
  const it = device();
  assert.deepEqual(await it.says(5), { said: null, code: "status.missing", refused: null, ageMs: null, isStale: false });
  it.serves["/v1/status/0"] = 404;
  assert.deepEqual(await it.lists.refresh(), { [`${BASE}/0`]: { kind: "away" } });
  await it.serve();
  await it.lists.refresh();
  assert.equal((await it.says(2 ** 17)).code, "status.missing");
  it.at = T + 24 * HOUR;
  const over = await it.says(5);
  assert.deepEqual([over.said, over.code, over.isStale], ["revoked", "status.expired", true]);
});

test("a crash between fetching and writing leaves the list of before, in memory and in the store", async () => {
  const it = device();
  await it.serve();
  await it.lists.refresh();
  const { put } = it.store;
  it.store.put = () => Promise.reject(new Error("full"));
  await it.serve({ issuedAt: T + MINUTE, statuses: { 8: 1 } });
  await assert.rejects(it.lists.refresh(), /full/);
  assert.equal((await it.says(8)).said, "valid");
  it.store.put = put;
  it.open();
  assert.deepEqual([(await it.says(8)).said, (await it.says(5)).said], ["valid", "revoked"]);
  await it.lists.refresh();
  assert.equal((await it.says(8)).said, "revoked");
});

test("others' lists are not fetched, and nothing is known of their codes", async () => {
  const theirs = entryOf(OTHER, { issuer: "platform.test", statusUri: "https://platform.test/lists" });
  const it = device({ keys: [entryOf(KEY), theirs] });
  await it.serve();
  await it.lists.refresh();
  assert.deepEqual(it.asked.map(({ url }) => url), ["/v1/status/0"]);
  assert.equal((await it.says(5, theirs, "platform.test")).code, "status.elsewhere");
  assert.equal((await it.says(5, entryOf(KEY, { statusUri: "" }))).code, "status.elsewhere");
});

test("the next list is asked for when one is full", async () => {
  const it = device();
  await it.serve({ length: FULL });
  await it.serve({ statuses: { 3: 1 } }, KEY, 1);
  assert.deepEqual(Object.keys(await it.lists.refresh()), [`${BASE}/0`, `${BASE}/1`]);
  assert.equal((await it.says(FULL + 3)).said, "revoked");
  assert.equal((await it.says(2 * FULL)).code, "status.missing");
});

test("a list is opened once, however many ask at once", async () => {
  const it = device();
  await it.serve();
  await it.lists.refresh();
  let opened = 0;
  const { get } = it.store;
  it.store.get = (uri) => (opened++, get(uri));
  it.open();
  await Promise.all([5, 6, 7].map((index) => it.says(index)));
  await it.says(5);
  assert.equal(opened, 1);
});

test("a store that fails once is asked again", async () => {
  const it = device();
  await it.serve();
  await it.lists.refresh();
  const { get } = it.store;
  it.store.get = () => Promise.reject(new Error("busy"));
  it.open();
  await assert.rejects(it.says(5), /busy/);
  it.store.get = get;
  assert.equal((await it.says(5)).said, "revoked");
});
