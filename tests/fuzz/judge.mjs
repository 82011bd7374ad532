// Judges the texts on stdin (JSON: { keys, texts }) as the scanner does; the reasons go to stdout, null where accepted.

import { readFileSync } from "node:fs";

import { verifyCode } from "../../src/motma/scanner/code.js";
import { judged, keyringOf } from "../scanner/vectors.js";

const { keys, texts } = JSON.parse(readFileSync(0, "utf8"));
const ring = keyringOf(keys);
const answers = [];
for (const text of texts) answers.push(await judged(verifyCode, text, ring));
console.log(JSON.stringify(answers.map(({ code, claims }) => (claims ? null : code))));
