// Evaluates the rules on stdin (JSON: [{ expression, data, whole? }]) as the scanner does; what becomes of each goes to stdout.

import { readFileSync } from "node:fs";

import { RuleError, evaluate, reads, validate } from "../../src/motma/scanner/rules.js";

function became(expression, data) {
  try {
    const value = evaluate(expression, data);
    return value instanceof Date ? { moment: value.toISOString() } : { value };
  } catch (error) {
    if (error instanceof RuleError) return { error: [error.code, error.path] };
    throw error;
  }
}

function whole(expression) {
  const problems = validate(expression).map(({ code, path }) => [code, path]);
  try {
    return { problems, reads: [...reads(expression)].sort() };
  } catch (error) {
    return { problems, reads: error.code };
  }
}

const questions = JSON.parse(readFileSync(0, "utf8"));
const answers = questions.map((asked) => ({
  ...became(asked.expression, asked.data),
  ...(asked.whole ? whole(asked.expression) : {}),
}));
console.log(JSON.stringify(answers));
