// Judges as the scanner does. On stdin JSON: [{ content, seen: [documents] }], `content` the JSON of a bundle with one
// period; what becomes of each document goes to stdout.

import { readFileSync } from "node:fs";

import { compileRulebook, judge, reasonsOf } from "../../src/motma/scanner/policy.js";

const answers = JSON.parse(readFileSync(0, "utf8")).map(({ content, seen }) => {
  const { policies, periods, reasons } = JSON.parse(content);
  const [{ complete }] = periods;
  const book = compileRulebook(policies, reasonsOf(reasons), { isComplete: complete });
  return seen.map((document) => {
    const { outcome, reasons: against, known, failed } = judge(document, book);
    return { outcome, reasons: against.map((reason) => [reason.code, reason.outcome, reason.words.vi, reason.cure.en]), known, failed };
  });
});
console.log(JSON.stringify(answers));
