import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { BUDGET, MAX_DEPTH, MAX_PROBLEMS, MAX_SIZE, RuleError, compile, evaluate, reads, validate } from "../../src/motma/scanner/rules.js";

const { cases } = JSON.parse(readFileSync(new URL("../../vectors/rules/rules.json", import.meta.url), "utf8"));

/** What becomes of an expression: its value, a date-time as { moment }, or { error: [code, path] }. */
function became(expression, data) {
  try {
    const value = evaluate(expression, data);
    return value instanceof Date ? { moment: value.toISOString() } : { value };
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    return { error: [error.code, error.path] };
  }
}

const said = (expression) => validate(expression).map(({ code, path }) => [code, path]);

for (const { about, expression, data, problems = [], reads: read, ...expected } of cases) {
  test(`rule: ${about}`, () => {
    assert.deepEqual(became(expression, data), expected);
    assert.deepEqual(said(expression), problems);
    if (read) assert.deepEqual([...reads(expression)].sort(), read);
  });
}

const nested = (depth, inner = true) => (depth ? { "!": [nested(depth - 1, inner)] } : inner);

test("sixty-four levels are enough", () => {
  assert.equal(evaluate(nested(MAX_DEPTH), null), true);
  const path = "/!/0".repeat(MAX_DEPTH);
  assert.deepEqual(became(nested(MAX_DEPTH + 1), null), { error: ["rule.too_deep", path] });
  assert.deepEqual(said(nested(5_000)), [["rule.too_deep", path]]);
});

test("ten thousand parts are enough", () => {
  const of = (count) => ({ in: ["x", Array.from({ length: count }, (_, at) => `${at}`)] });
  assert.equal(evaluate(of(MAX_SIZE - 3), null), false);
  assert.deepEqual(became(of(MAX_SIZE - 2), null), { error: ["rule.too_large", "/in/1/9997"] });
  assert.deepEqual(said(of(1_000_000)), [["rule.too_large", "/in/1/9997"]]);
  assert.deepEqual(said({ var: "a.".repeat(MAX_SIZE) }), [["rule.too_large", "/var"]]);
  let doubled = true;
  for (let level = 0; level < 60; level++) doubled = [doubled, doubled];
  assert.equal(said(doubled)[0][0], "rule.too_large");
  assert.equal(said(Array(1_000).fill(null)).length, MAX_PROBLEMS);
});

test("a million items are not gone through", () => {
  const data = { x: Array(1_000_000).fill(1) };
  const sum = { "+": [{ var: "current" }, { var: "accumulator" }] };
  const started = performance.now();
  assert.deepEqual(became({ reduce: [{ var: "x" }, sum, 0] }, data), { error: ["rule.budget", "/reduce"] });
  assert.deepEqual(became({ in: ["a", { var: "x" }] }, data), { error: ["rule.budget", "/in"] });
  assert.deepEqual(became({ var: "x" }, data), { error: ["rule.budget", ""] });
  assert.ok(performance.now() - started < 200);
  assert.equal(evaluate({ "!": [{ var: "x" }] }, data), false);
  const some = { x: Array(Math.floor(BUDGET / 3)).fill(1) };
  assert.equal(evaluate({ reduce: [{ var: "x" }, sum, 0] }, some), 33_333);
  some.x.push(1);
  assert.deepEqual(became({ reduce: [{ var: "x" }, sum, 0] }, some), { error: ["rule.budget", "/reduce"] });
});

test("a tree that doubles with every item cannot leave", () => {
  const twice = { reduce: [{ var: "x" }, [{ var: "accumulator" }, { var: "accumulator" }], 0] };
  assert.deepEqual(became(twice, { x: Array(60).fill(0) }), { error: ["rule.budget", ""] });
});

test("what is no JSON has no value", () => {
  for (const expression of [NaN, undefined, () => 1, new Date(0), new Map(), Symbol("x"), 1n]) {
    assert.deepEqual(said(expression), [["rule.not_json", ""]]);
    assert.throws(() => compile(expression), { code: "rule.not_json" });
  }
  for (const x of [NaN, () => 1, new Map(), Symbol("x"), 1n]) {
    assert.deepEqual(became({ var: "x" }, { x }), { error: ["rule.data", ""] });
    assert.deepEqual(became({ "!": [{ var: "x" }] }, { x }), { error: ["rule.truth", "/!/0"] });
  }
  assert.deepEqual(became({ var: "x.y" }, { x: new Map() }), { error: ["rule.data", "/var"] });
});

test("compiled once, it keeps nothing", () => {
  const run = compile({ reduce: [{ var: "x" }, { "+": [{ var: "current" }, { var: "accumulator" }] }, 0] });
  const x = Array(20_000).fill(1);
  for (let round = 0; round < 10; round++) assert.equal(run({ x }), 20_000);
});
