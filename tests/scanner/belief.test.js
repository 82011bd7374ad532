import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { openBelief } from "../../src/motma/scanner/belief.js";
import { entryOf, memory, newKey, statusToken } from "./forge.js";
import { keyringOf } from "./vectors.js";

const VECTORS = JSON.parse(readFileSync(new URL("../../vectors/code/codes.json", import.meta.url), "utf8"));
const TRUST = JSON.parse(readFileSync(new URL("../../vectors/trust/lists.json", import.meta.url), "utf8"));
const textOf = (about) => VECTORS.cases.find((one) => one.about === about).text;
const EVERYDAY = textOf("an everyday code");
const INDEX = 74_565; // of all codes in the vectors
const BEGINS = 1_768_719_600_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const BASE = "https://motma.test/v1/status";
const SIGNER = await newKey();

const RING = keyringOf(VECTORS.keys);
for (const key of [...RING.values()].flat()) key.statusUri = key.issuer === "motma.test" ? BASE : "https://bluezone.test/lists";
RING.set(SIGNER.kid, [entryOf(SIGNER)]);

const offline = () => Promise.reject(new TypeError("offline"));

/** A list of trust that is held, as openTrust gives it. */
function trusted({ standing = "fresh", told = { kind: "same" } } = {}) {
  return async ({ clock, fetch }) => ({
    list: { issuer: "motma.test", keyring: RING, status: new Map([[BASE, BEGINS - HOUR]]) },
    now: clock,
    saw: async () => {},
    ageMs: () => 5 * HOUR,
    standing: () => standing,
    refresh: () => fetch("/v1/trust-list", {}).then(() => told, () => ({ kind: "away" })),
  });
}

/** A server at `serverAt` that gives out `status`, the list of what became of codes. */
function server(it) {
  return async (url) => {
    if (it.away) return offline();
    const headers = it.serverAt ? { date: new Date(it.serverAt).toUTCString() } : {};
    if (url === "/v1/status/0") return it.status ? new Response(it.status, { headers }) : new Response(null, { status: 404 });
    return new Response("", { headers });
  };
}

const statusOf = (statuses, issuedAt = BEGINS) => statusToken(SIGNER, { uri: `${BASE}/0`, issuedAt, statuses });

async function device({ now = BEGINS + HOUR, status = null, store = memory({ pins: {} }), ...how } = {}) {
  const it = { now, status, store, away: false, serverAt: null };
  it.open = () => (it.belief = openBelief({ store, fetch: server(it), clock: () => it.now, open: trusted(how) }));
  it.open();
  await it.belief.refresh();
  return it;
}

const saysOf = async (text, how) => (await device(how)).belief.says(text);

test("a code of ours says whom to expect, whether its time has come or gone, and how live it is", async () => {
  const { problem, code } = await saysOf(EVERYDAY);
  assert.equal(problem, null);
  assert.deepEqual([code.name, code.last_four, code.birth_date], ["Tạ Văn Thành", "3999", "1976-02-04"]);
  assert.deepEqual([code.when, code.live, code.worth, code.matched], ["valid", "static", "accept", true]);
  assert.equal((await saysOf(EVERYDAY, { now: BEGINS + 100 * HOUR })).code.when, "expired");
  const live = async (ms) => (await saysOf(textOf("bound and proved live"), { now: BEGINS + HOUR + ms })).code.live;
  assert.deepEqual([await live(0), await live(90_000), await live(91_000)], ["live", "live", "stale"]);
});

test("what became of the code, by the list that was fetched, with its age; also after the network is gone", async () => {
  const it = await device({ status: await statusOf({ [INDEX]: 1 }) });
  it.away = true;
  it.now += 10 * MINUTE;
  for (const again of [false, true]) {
    if (again) it.open(); // loaded anew, without a network
    const { status, keys } = await it.belief.says(EVERYDAY);
    assert.deepEqual([status.said, status.code, status.ageMs, status.isStale], ["revoked", null, 10 * MINUTE, true]);
    assert.deepEqual(keys, { ageMs: 10 * MINUTE, isStale: false, refused: null });
    await it.belief.refresh();
  }
  assert.equal((await it.belief.says(textOf("by a platform, within its scope"))).status.code, "status.elsewhere");
});

test("each thing that is wrong with a code has its name, and nobody's", async () => {
  const problems = {
    "another name under the same signature": "code.forged",
    "in the name of another issuer": "code.wrong_issuer",
    "a web address": "code.not_base45",
    "signed by a stranger": "code.unknown_key",
    "by a key that was revoked": "code.revoked_key",
    "a bomb of a megabyte": "code.bomb",
  };
  for (const [about, problem] of Object.entries(problems)) {
    const says = await saysOf(textOf(about));
    assert.deepEqual([says.problem, says.code, says.status], [problem, null, null], about);
  }
});

test("a list of trust that is refused, or over, is told", async () => {
  const told = { kind: "refused", code: "trustlist.rolled_back" };
  const { keys } = await saysOf(EVERYDAY, { told, standing: "stale" });
  assert.deepEqual(keys, { ageMs: 5 * HOUR, isStale: true, refused: "trustlist.rolled_back" });
});

test("by the server's clock, as far as it is known: a device that is an hour slow knows that a code is live", async () => {
  const store = memory({ pins: {} });
  const it = await device({ now: BEGINS + 10 * MINUTE, store });
  assert.equal((await it.belief.says(textOf("bound and proved live"))).code.live, "stale");
  it.serverAt = BEGINS + HOUR;
  await it.belief.refresh();
  assert.equal((await it.belief.says(textOf("bound and proved live"))).code.live, "live");
  it.away = true;
  it.open();
  assert.equal((await it.belief.says(textOf("bound and proved live"))).code.live, "live");
  assert.ok(Math.abs(store.held.skew - 50 * MINUTE) < 1500);
});

test("the roots are asked for once and kept; without a network what is kept is enough", async () => {
  const asked = [];
  const store = memory();
  const list = Uint8Array.from(atob(TRUST.lists["list-00"]), (letter) => letter.charCodeAt(0));
  const fetch = async (url) => {
    asked.push(url);
    if (url.startsWith("/v1/status")) return new Response(null, { status: 404 });
    return url === "/v1/trust-list/roots" ? Response.json(TRUST.pins) : new Response(list);
  };
  const clock = () => BEGINS + MINUTE;
  await openBelief({ store, fetch, clock, device: "dev_1" }).refresh();
  await openBelief({ store, fetch, clock, device: "dev_1" }).refresh();
  assert.deepEqual(asked.filter((url) => url.includes("trust")), ["/v1/trust-list/roots", "/v1/trust-list", "/v1/trust-list"]);
  assert.equal(store.held.list.raw.length, list.length);

  const away = openBelief({ store, fetch: offline, clock });
  assert.equal((await away.says(textOf("signed by a stranger"))).problem, "code.unknown_key", "opened from what is kept");
});

test("enrolled anew, a device forgets the roots and lists of before; the copy without names forgets nothing", async () => {
  const store = memory({ pins: { device: "dev_1", issuer: "old.test", roots: [] }, "status:x": 1, list: { raw: null } });
  let roots = offline;
  const asked = [];
  const fetch = async (url) => {
    asked.push(url);
    return url === "/v1/trust-list/roots" ? roots() : offline();
  };
  const load = (device) => openBelief({ store, fetch, clock: () => BEGINS, device });
  await load(null).refresh();
  assert.deepEqual(asked, ["/v1/trust-list"]);
  await load("dev_2").refresh();
  assert.equal(store.held.pins.device, "dev_1", "until the new ones are there, the old ones stay");
  roots = () => Response.json(TRUST.pins);
  const page = load("dev_2");
  await page.refresh();
  assert.deepEqual(Object.keys(store.held), ["pins"]);
  assert.deepEqual([store.held.pins.device, store.held.pins.issuer], ["dev_2", "motma.test"]);
  store.held.pins = { ...store.held.pins, device: "dev_3" }; // by another tab
  await page.refresh();
  assert.equal(store.held.pins.device, "dev_3", "once to a page");
});

test("a device that can neither keep nor fetch says that it has no list, and does not fail", async () => {
  const fails = () => Promise.reject(new Error("forbidden"));
  const rules = { ageMs: null, code: null, refused: null };
  const none = { problem: "trustlist.none", code: null, status: null, verdict: null, rules, keys: { ageMs: null, isStale: false, refused: null } };
  const belief = openBelief({ store: { get: fails, put: fails, replace: fails }, fetch: offline });
  await belief.refresh();
  assert.deepEqual(await belief.says(EVERYDAY), none);
  const refused = openBelief({ store: memory(), fetch: async () => new Response("{}", { status: 401 }) });
  await refused.refresh();
  assert.deepEqual(await refused.says(EVERYDAY), none);
  const damaged = openBelief({ store: memory({ pins: {}, list: { raw: new Uint8Array(9) } }), fetch: offline });
  assert.equal((await damaged.says(EVERYDAY)).keys.refused, "trustlist.unreadable");
});

test("a store that fails takes away what became of the code, not what it says", async () => {
  const it = await device({ status: await statusOf({}) });
  const { get } = it.store;
  it.store.get = (name) => (name.startsWith("status:") ? Promise.reject(new Error("gone")) : get(name));
  it.open();
  const { problem, code, status } = await it.belief.says(EVERYDAY);
  assert.deepEqual([problem, code.name, status.code], [null, "Tạ Văn Thành", "status.missing"]);
});
