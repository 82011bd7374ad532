// Against a real server on this machine: what goes wrong on a network goes wrong here for real.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, before, beforeEach, test } from "node:test";

import { Sightings, makeChecks, newScan } from "../../src/motma/scanner/checks.js";

const NOW = Date.UTC(2026, 10, 22, 14, 20, 5, 678);
const WORDS = { vi: "vi", en: "en" };

let server;
let url;
let answers; // one function (request body, response) per try, the last one again and again
let asked;

before(async () => {
  server = http.createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    asked.push({ method: request.method, type: request.headers["content-type"], body: JSON.parse(body) });
    (answers.length > 1 ? answers.shift() : answers[0])(JSON.parse(body), response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${server.address().port}/v1/checks`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
  patience = [];
});

// Patience ends when a test says so, not when a slow machine has used it up.
const contacts = [];
let patience; // what ends it, per try
const later = (act, ms) => (patience.push({ act, ms }), () => {});
const ask = (scan, options = {}) =>
  makeChecks({ fetch, url, now: () => NOW + 50, pauseMs: 5, timeoutMs: 150, onContact: (at) => contacts.push(at), later, ...options })(scan);
const scan = () => newScan({ code: "NCF $%*+-./: " }, NOW, new Uint8Array(10).fill(7));
const json = (status, make, type = "application/json") => (body, response) =>
  response.writeHead(status, { "content-type": type }).end(JSON.stringify(make(body)));
const verdict = (more) => json(200, ({ id }) => ({
  id,
  outcome: "accept",
  known: true,
  reasons: [],
  citizen: null,
  refer: null,
  valid_until: null,
  judged_at: "2026-11-22T14:20:05Z",
  already: false,
  ...more,
}));
const silence = () => patience.at(-1).act();
const problem = (status, code) => json(status, () => ({ status, code, words: WORDS }), "application/problem+json");

test("a verdict, and what was sent for it", async () => {
  answers = [verdict()];
  const sent = scan();
  const answer = await ask(sent);
  assert.equal(answer.kind, "verdict");
  assert.equal(answer.verdict.outcome, "accept");
  assert.equal(answer.scan, sent);
  assert.deepEqual(asked, [
    {
      method: "POST",
      type: "application/json",
      body: { ...sent, device_time: "2026-11-22T14:20:05.728Z", scanned_at: "2026-11-22T14:20:05.678Z" },
    },
  ]);
  assert.equal(asked[0].body.code, "NCF $%*+-./: ");
});

test("a number is sent as a number", async () => {
  answers = [verdict()];
  await ask(newScan({ qid: "139173189254890561" }, NOW, new Uint8Array(10)));
  assert.equal(asked[0].body.qid, "139173189254890561");
  assert.ok(!("code" in asked[0].body));
});

test("silence: one more try, with the same id; then the answer to it counts", async () => {
  answers = [silence, verdict({ already: true })];
  const answer = await ask(scan());
  assert.equal(answer.kind, "verdict");
  assert.equal(asked.length, 2);
  assert.equal(asked[0].body.id, asked[1].body.id);
  assert.equal(asked[0].body.scanned_at, asked[1].body.scanned_at);
});

test("silence twice: not known, and each try had its bound", async () => {
  answers = [silence];
  const { kind, why } = await ask(scan());
  assert.deepEqual([kind, why, asked.length], ["unknown", "slow", 2]);
  assert.deepEqual(patience.map(({ ms }) => ms), [150, 150]);
});

test("by the clock too, whether the question arrived or not", async () => {
  answers = [() => {}];
  assert.equal((await ask(scan(), { later: undefined, timeoutMs: 30 })).why, "slow");
});

test("a body that never ends is silence too", async () => {
  answers = [
    (_, response) => {
      response.writeHead(200).write('{"id":');
      setTimeout(silence, 20); // before the head has arrived or after, it is the same
    },
  ];
  assert.equal((await ask(scan())).why, "slow");
});

test("a line that breaks: tried again", async () => {
  answers = [(_, response) => response.destroy(), verdict()];
  assert.equal((await ask(scan())).kind, "verdict");
  assert.equal(asked.length, 2);
});

test("nobody there: not known", async () => {
  contacts.length = 0;
  const { kind, why } = await ask(scan(), { url: "http://127.0.0.1:1/" });
  assert.deepEqual([kind, why, contacts], ["unknown", "offline", []]);
});

test("503 is tried once more, 500 too; then not known", async () => {
  for (const status of [500, 503]) {
    asked = [];
    answers = [problem(status, "store.busy")];
    const { kind, why } = await ask(scan());
    assert.deepEqual([kind, why, asked.length], ["unknown", "server", 2]);
  }
});

test("401: the shift is over; nothing is tried again", async () => {
  answers = [problem(401, "access.shift")];
  assert.equal((await ask(scan())).kind, "signed_out");
  assert.equal(asked.length, 1);
});

test("422: the server's own words; nothing is tried again", async () => {
  answers = [problem(422, "qid.check_digit")];
  const { kind, why, words, code } = await ask(scan());
  assert.deepEqual([kind, why, words, code, asked.length], ["unknown", "refused", WORDS, "qid.check_digit", 1]);
});

test("what is not the answer to this scan is not shown", async () => {
  const nonsense = [
    (_, response) => response.writeHead(200).end("<html>Free wifi! Log in</html>"),
    (_, response) => response.writeHead(200).end("null"),
    (_, response) => response.writeHead(200).end(""),
    verdict({ id: "scn_another" }),
    verdict({ outcome: "pass" }),
    verdict({ known: undefined }),
    verdict({ reasons: [{ words: WORDS }] }),
    verdict({ reasons: null }),
    verdict({ along: {} }),
    verdict({ along: [{ kind: "dcc", words: { vi: "x" } }] }),
    verdict({ outcome: "refer", refer: { name: "x" } }),
  ];
  for (const one of nonsense) {
    answers = [one];
    const { kind, why } = await ask(scan());
    assert.deepEqual([kind, why], ["unknown", "garbled"]);
  }
  answers = [(_, response) => response.writeHead(302, { location: "/log-in" }).end()];
  assert.equal((await ask(scan())).why, "offline");
});

test("an answer is a sign of life; a broken server is not", async () => {
  contacts.length = 0;
  answers = [verdict()];
  await ask(scan());
  answers = [problem(401, "access.shift")];
  await ask(scan());
  answers = [problem(503, "store.busy")];
  await ask(scan());
  assert.deepEqual(contacts, [NOW + 50, NOW + 50]);
});

test("a code that stays in sight is sent once; another at once; the same again after it was away", () => {
  const sightings = new Sightings(4000);
  const seen = (text, at) => sightings.isNew(text, at);
  assert.deepEqual([seen("A", 0), seen("A", 100), seen("A", 3900), seen("A", 7800)], [true, false, false, false]);
  assert.deepEqual([seen("B", 7900), seen("A", 7950), seen("B", 8000)], [true, false, false]);
  assert.deepEqual([seen("A", 11_950), seen("B", 11_960)], [true, false]);
});

test("while something else is open, what was sent stays sent and what is new waits", () => {
  const sightings = new Sightings(4000);
  sightings.isNew("A", 0);
  for (const at of [3000, 6000, 9000]) assert.ok(sightings.stays("A", at));
  assert.ok(!sightings.stays("B", 9000));
  assert.deepEqual([sightings.isNew("A", 9500), sightings.isNew("B", 9500)], [false, true]);
});
