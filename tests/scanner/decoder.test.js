import assert from "node:assert/strict";
import { test } from "node:test";

import { stateAfter } from "../../src/motma/scanner/camera.js";
import { seenRegion } from "../../src/motma/scanner/decoder.js";

test("only what the officer sees is read", () => {
  assert.deepEqual(seenRegion(1280, 720, 328, 328), { x: 280, y: 0, width: 720, height: 720 });
  assert.deepEqual(seenRegion(720, 1280, 328, 410), { x: 0, y: 190, width: 720, height: 900 });
  assert.deepEqual(seenRegion(1280, 720, 1280, 720), { x: 0, y: 0, width: 1280, height: 720 });
  assert.deepEqual(seenRegion(1280, 720, 0, 0), { x: 0, y: 0, width: 1280, height: 720 });
});

test("why there is no camera, in a state that has words", () => {
  const after = (name) => stateAfter(Object.assign(new Error("no"), { name }));
  assert.equal(after("NotAllowedError"), "refused");
  assert.equal(after("NotFoundError"), "none");
  assert.equal(after("NotReadableError"), "busy");
  assert.equal(after("AbortError"), "busy");
});
