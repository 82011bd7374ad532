// Papers that somebody shows along with their code: which one a verdict asks for, and what is sent then. Pure.

import { newScan } from "./checks.js";
import { qidProblem } from "./ids.js";
import { isOurs } from "./keyboard.js";

/** What answers a reason, by what its code begins with. */
const PAPERS = { certificate: "certificate.", permit: "permit." };

const shownAlong = new WeakMap(); // scan -> { paper: text }

/** Which paper the reason `code` asks for: "certificate" | "permit" | null. */
export function paperFor(code) {
  return Object.keys(PAPERS).find((paper) => code.startsWith(PAPERS[paper])) ?? null;
}

/** Why `text` is no paper to show along with `scan`: the key of a sentence, or null. What it is, the server says. */
export function paperProblem(text, scan) {
  if (text.trim() === scan.code?.trim()) return "paper.same";
  return isOurs(text) || qidProblem(text) === null ? "paper.ours" : null;
}

/**
 * A new scan of the same person, with `text` as their `paper` beside the papers that were shown before. The code was
 * scanned when it was scanned: its live proof is judged as of then.
 */
export function withPaper(scan, paper, text, nowMs, random) {
  const papers = { ...shownAlong.get(scan), [paper]: text };
  const { code, qid, scanned_at } = scan;
  const what = code === undefined ? { qid } : { code };
  const again = { ...newScan({ ...what, also: Object.values(papers) }, nowMs, random), scanned_at };
  shownAlong.set(again, papers);
  return again;
}
