import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { openBelief } from "../../src/motma/scanner/belief.js";
import { viewOf } from "../../src/motma/scanner/verdict.js";
import { keyringOf } from "./vectors.js";

const VECTORS = JSON.parse(readFileSync(new URL("../../vectors/code/codes.json", import.meta.url), "utf8"));
const TRUST = JSON.parse(readFileSync(new URL("../../vectors/trust/lists.json", import.meta.url), "utf8"));
const RING = keyringOf(VECTORS.keys);
const textOf = (about) => VECTORS.cases.find((one) => one.about === about).text;
const BEGINS = 1_768_719_600_000;
const HOUR = 3_600_000;

function memory(held = {}) {
  return { held, get: async (name) => held[name], put: async (name, value) => void (held[name] = value) };
}

const listed = (now, standing = "fresh") => async () => ({
  list: { keyring: RING },
  now: () => now,
  standing: () => standing,
  refresh: async () => ({ kind: "same" }),
});

async function saysOf(text, now = BEGINS + HOUR, standing = "fresh") {
  const belief = openBelief({ store: memory({ pins: {} }), fetch: null, open: listed(now, standing) });
  await belief.refresh();
  return belief.says(text);
}

test("a code of ours says whom to expect, and whether its time has come or gone", async () => {
  const says = await saysOf(textOf("an everyday code"));
  assert.deepEqual([says.name, says.last_four, says.birth_date], ["Tạ Văn Thành", "3999", "1976-02-04"]);
  assert.deepEqual([says.when, says.stale], ["valid", false]);
  assert.equal((await saysOf(textOf("an everyday code"), BEGINS + 100 * HOUR)).when, "expired");
  assert.equal((await saysOf(textOf("an everyday code"), BEGINS, "stale")).stale, true);
});

test("a forgery is called one, and says nobody's name; what is not ours says nothing", async () => {
  assert.deepEqual(await saysOf(textOf("another name under the same signature")), { when: "forged" });
  assert.deepEqual(await saysOf(textOf("in the name of another issuer")), { when: "forged" });
  for (const about of ["a web address", "signed by a stranger", "by a key that was revoked", "a bomb of a megabyte"]) {
    assert.equal(await saysOf(textOf(about)), null, about);
  }
});

test("the roots are asked for once and kept; without a network what is kept is enough", async () => {
  const asked = [];
  const store = memory();
  const list = Uint8Array.from(atob(TRUST.lists["list-00"]), (letter) => letter.charCodeAt(0));
  const fetch = async (url) => {
    asked.push(url);
    return url === "/v1/trust-list/roots" ? Response.json(TRUST.pins) : new Response(list);
  };
  const clock = () => BEGINS + 60_000;
  await openBelief({ store, fetch, clock }).refresh();
  assert.deepEqual(asked, ["/v1/trust-list/roots", "/v1/trust-list"]);
  assert.equal(store.held.list.raw.length, list.length);

  const offline = openBelief({ store, fetch: () => Promise.reject(new TypeError("offline")), clock });
  assert.equal(await offline.says(textOf("an everyday code")), null); // nothing is opened yet
  await offline.refresh();
  assert.equal(await offline.says(textOf("signed by a stranger")), null);
});

test("a device that can neither keep nor fetch has nothing to say, and does not fail", async () => {
  const broken = { get: () => Promise.reject(new Error("forbidden")), put: () => Promise.reject(new Error("full")) };
  const belief = openBelief({ store: broken, fetch: () => Promise.reject(new TypeError("offline")) });
  await belief.refresh();
  assert.equal(await belief.says(textOf("an everyday code")), null);
  const refused = openBelief({ store: memory(), fetch: async () => new Response("{}", { status: 401 }) });
  await refused.refresh();
  assert.equal(await refused.says(textOf("an everyday code")), null);
});

test("not known stays not known, with what the code says beside it", async () => {
  const answer = { kind: "unknown", why: "offline", says: await saysOf(textOf("an everyday code")) };
  const view = viewOf(answer, "vi", { timeZone: "Asia/Ho_Chi_Minh" });
  assert.equal(view.tone, "unknown");
  assert.deepEqual(view.word, ["CHƯA", "RÕ"]);
  assert.equal(view.name, "Tạ Văn Thành");
  assert.deepEqual(view.about, ["•••• 3999", "04/02/1976"]);
  assert.equal(
    view.reason,
    "Không hỏi được máy chủ: mất mạng. Mã: chữ ký đúng, hạn đến 14:00 ngày 21/01. Chưa biết có bị thu hồi không.",
  );
  assert.equal(view.action, "retry");

  const late = viewOf({ ...answer, says: await saysOf(textOf("an everyday code"), BEGINS + 100 * HOUR) }, "en", {
    timeZone: "UTC",
  });
  assert.match(late.reason, /signature right, expired at 07:00 on 21\/01/);
  const forged = viewOf({ ...answer, says: { when: "forged" } }, "vi");
  assert.deepEqual([forged.tone, forged.name], ["unknown", null]);
  assert.match(forged.reason, /chữ ký sai/);
  assert.equal(viewOf({ ...answer, says: null }, "vi").reason, "Không hỏi được máy chủ: mất mạng.");
});
