// Measured by bench/scanner.py, which says on stdin over what; the figures go to stdout as JSON.

import { readFileSync } from "node:fs";

import { decodeBase45 } from "../src/motma/scanner/base45.js";
import { verifyCode } from "../src/motma/scanner/code.js";
import { bytesOf, importKey, parseSign1, toBeSigned } from "../src/motma/scanner/cose.js";
import { listUri, statusOf, verifyStatusToken } from "../src/motma/scanner/status.js";

const CALLS = 300;
const ROUNDS = 15;
const order = JSON.parse(readFileSync(0, "utf8"));
const scope = { notBefore: 0, notAfter: null, measures: [], areas: [], revoked: false, statusUri: order.status_uri };
const ring = new Map([[order.kid, [{ point: bytesOf(order.point), issuer: order.issuer, ...scope }]]]);

async function verification() {
  const squeezed = new Blob([decodeBase45(order.text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const { protected: body, payload, signature } = parseSign1(new Uint8Array(await new Response(squeezed).arrayBuffer()));
  const signed = toBeSigned(body, payload);
  const key = await importKey(bytesOf(order.point));
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  const ours = () => verifyCode(order.text, ring);
  const bare = () => crypto.subtle.verify(algorithm, key, signature, signed);
  if (!(await bare())) throw new Error("the floor does not verify");
  await timed(ours);
  await timed(bare);
  const ratios = [];
  for (let round = 0; round < ROUNDS; round++) ratios.push((await timed(ours)) / (await timed(bare)));
  return median(ratios);
}

async function timed(work) {
  const start = performance.now();
  for (let i = 0; i < CALLS; i++) await work();
  return performance.now() - start;
}

async function statusList() {
  const raw = new Uint8Array(Buffer.from(order.status, "base64"));
  const uri = listUri(order.status_uri, 0);
  const times = [];
  let token = null;
  for (let round = 0; round < 9; round++) {
    const start = performance.now();
    token = await verifyStatusToken(raw, ring, { uri, nowMs: Date.now(), previous: token, issuer: order.issuer });
    statusOf(token, order.codes - 1);
    times.push(performance.now() - start);
  }
  let revoked = 0;
  for (let index = 0; index < order.codes; index++) if (statusOf(token, index) === "revoked") revoked++;
  if (revoked !== order.revoked) throw new Error(`${revoked} codes are revoked`);
  return median(times);
}

function median(numbers) {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1];
}

const js_verify_over_bare = await verification();
const js_status_10m_ms = await statusList();
console.log(JSON.stringify({ js_verify_over_bare, js_status_10m_ms }));
