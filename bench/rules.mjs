// Measured by bench/rules.py, which says on stdin which rules over whom; the figures go to stdout as JSON.

import { readFileSync } from "node:fs";

import { compile } from "../src/motma/scanner/rules.js";

const ROUNDS = 15;
const { rules, people } = JSON.parse(readFileSync(0, "utf8"));
const runs = rules.map(compile);
const times = [];
for (let round = 0; round <= ROUNDS; round++) {
  const started = process.cpuUsage();
  for (const seen of people) for (const run of runs) if (run(seen) !== true) throw new Error("somebody is stopped");
  const { user, system } = process.cpuUsage(started);
  if (round) times.push((user + system) / people.length); // the first is for warming up
}
const policy = times.sort((a, b) => a - b)[ROUNDS >> 1];
console.log(JSON.stringify({ policy, rule: policy / rules.length }));
