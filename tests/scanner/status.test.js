import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import { test } from "node:test";

import { decodeCbor } from "../../src/motma/scanner/cose.js";
import * as status from "../../src/motma/scanner/status.js";
import { verifyStatusToken, statusOf, statusAt, lengthOf, isStale, confirmed, listUri, unpack } from "../../src/motma/scanner/status.js";

const VECTORS = JSON.parse(readFileSync(new URL("../../vectors/status/lists.json", import.meta.url), "utf8"));
const bytesOf = (digits) => Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));

const RING = new Map();
for (const { kid, x, y, issuer, not_before, not_after, revoked, status_uri } of VECTORS.keys) {
  const times = { notBefore: not_before * 1000, notAfter: not_after === null ? null : not_after * 1000 };
  const key = { point: bytesOf(`04${x}${y}`), issuer, ...times, revoked, statusUri: status_uri, measures: [], areas: [] };
  RING.set(kid, [...(RING.get(kid) ?? []), key]);
}

const verify = (token, asked) =>
  verifyStatusToken(bytesOf(token), RING, {
    uri: asked.uri ?? VECTORS.uri,
    nowMs: (asked.now ?? VECTORS.now) * 1000,
    issuer: asked.issuer ?? null,
    previous: asked.taken ?? null,
  });

async function judged({ token, previous, ...asked }) {
  const taken = previous && (await verify(previous, asked));
  try {
    return { token: await verify(token, { ...asked, taken }) };
  } catch (error) {
    assert.ok(error instanceof status.StatusError, error);
    return { code: error.code };
  }
}

for (const { about, code, list, ...asked } of VECTORS.tokens) {
  test(`status token: ${about}`, async () => {
    const found = await judged(asked);
    assert.equal(found.code, code);
    if (code) return;
    const { token } = found;
    assert.deepEqual([lengthOf(token.list), token.issuedAt / 1000, token.ttlMs / 1000], [list.length, list.issued_at, list.ttl]);
    const names = Object.fromEntries(Object.entries(list.statuses).map(([index, value]) => [index, status.STATUSES[value]]));
    for (let index = 0; index < lengthOf(token.list); index++) assert.equal(statusOf(token, index), names[index] ?? "valid");
  });
}

for (const { about, cbor, code, bits, length, statuses } of VECTORS.lists) {
  test(`status list: ${about}`, async () => {
    const said = decodeCbor(bytesOf(cbor));
    if (code) {
      await assert.rejects(unpack(said), { code });
      return;
    }
    const list = await unpack(said);
    assert.deepEqual([list.bits, lengthOf(list)], [bits, length]);
    for (const index of [...Object.keys(statuses).map(Number), 2, length - 2]) {
      assert.equal(statusAt(list, index), statuses[index] ?? 0);
    }
  });
}

test("a list inflates to 16 MiB and no further", async () => {
  const of = (size) => unpack(new Map(Object.entries({ bits: 2, lst: new Uint8Array(deflateSync(new Uint8Array(size))) })));
  assert.equal((await of(2 ** 24)).packed.length, 2 ** 24);
  await assert.rejects(of(2 ** 24 + 1), { code: "status.unreadable" });
  await assert.rejects(of(2 ** 27), { code: "status.unreadable" });
});

test("a list covers sixteen million indexes", async () => {
  const base = "https://motma.test/v1/status";
  assert.equal(listUri(base, 2 ** 24 - 1), `${base}/0`);
  assert.equal(listUri(`${base}/`, 2 ** 24), `${base}/1`);
  assert.equal(listUri(base, 2 ** 32 - 1), `${base}/255`);
  const { token } = await judged(VECTORS.tokens[0]);
  assert.equal(statusOf(token, 3 * 2 ** 24 + 5), "revoked");
});

test("no list, or one that ends before: nothing is said", async () => {
  const { token } = await judged(VECTORS.tokens[0]);
  for (const [held, index] of [[null, 5], [token, 1024], [token, 2 ** 24 - 1], [token, -1], [token, NaN]]) {
    assert.throws(() => statusOf(held, index), { code: "status.missing" });
  }
});

test("stale is no error, and counts from the last word of the server", async () => {
  const { token } = await judged(VECTORS.tokens[0]);
  const at = token.fetchedAt;
  assert.deepEqual([at, at + 299_999, at + 300_000, at - 1].map((nowMs) => isStale(token, nowMs)), [false, false, true, true]);
  const later = confirmed(token, at + 290_000);
  assert.equal(isStale(later, at + 589_999), false);
  assert.equal(later.list, token.list);
});

test("every single flipped bit is refused", async () => {
  const good = bytesOf(VECTORS.tokens[0].token);
  for (let bit = 0; bit < good.length * 8; bit += 7) {
    const bad = good.slice();
    bad[bit >> 3] ^= 1 << (bit & 7);
    const asked = { uri: VECTORS.uri, nowMs: VECTORS.now * 1000 };
    await assert.rejects(verifyStatusToken(bad, RING, asked), status.StatusError);
  }
});
