// Asking for a verdict. A scan goes in; what comes out is always an answer that can be shown, never an exception:
//
//   { kind: "verdict", verdict }            the server's words, checked for shape
//   { kind: "unknown", why, words?, code? } no verdict: "offline" | "slow" | "server" | "garbled" | "refused"
//   { kind: "signed_out" }                  the shift is over
//
// Each answer carries the `scan` it belongs to. The network, the clock and randomness are arguments. Judging
// without the network would be a second judge beside `askServer`, tried in turn by `check`.

import { newFactId } from "./ids.js";

const OUTCOMES = new Set(["accept", "manual", "refer", "reject"]);

/** A scan is born: its id and time stay the same however often it is sent. `what`: `code` or `qid`, and perhaps `also`. */
export function newScan(what, nowMs, random) {
  return { id: newFactId("scn", nowMs, random), ...what, scanned_at: new Date(nowMs).toISOString() };
}

/**
 * Returns `check(scan)`. `timeoutMs` bounds one try; there are two, `pauseMs` apart, with the same id: to the server
 * the same id is the same scan. `onContact(nowMs)` hears of every sign of life. `later(act, ms)` acts unless what it
 * gives is called before.
 */
export function makeChecks({ fetch, url, now, timeoutMs = 4000, pauseMs = 300, onContact = () => {}, later = inTime }) {
  async function once(scan) {
    const abort = new AbortController();
    const forget = later(() => abort.abort(), timeoutMs);
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ ...scan, device_time: new Date(now()).toISOString() }),
        credentials: "same-origin",
        cache: "no-store",
        redirect: "error", // a network that wants a log-in answers with one
        signal: abort.signal,
      });
      return answerOf(response.status, await response.text(), scan);
    } catch {
      return { kind: "unknown", why: abort.signal.aborted ? "slow" : "offline" };
    } finally {
      forget();
    }
  }

  async function askServer(scan) {
    let answer = await once(scan);
    if (answer.kind === "unknown" && isWorthAnotherTry(answer.why)) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      answer = await once(scan);
    }
    if (answer.kind !== "unknown" || answer.why === "refused") onContact(now());
    return answer;
  }

  return async function check(scan) {
    return { ...(await askServer(scan)), scan };
  };
}

function inTime(act, ms) {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
}

function isWorthAnotherTry(why) {
  return why === "offline" || why === "slow" || why === "server";
}

function answerOf(status, text, scan) {
  if (status === 401) return { kind: "signed_out" };
  if (status >= 500) return { kind: "unknown", why: "server" };
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    return { kind: "unknown", why: "garbled" };
  }
  if (status >= 400) {
    return { kind: "unknown", why: "refused", words: isWords(body?.words) ? body.words : undefined, code: body?.code };
  }
  return isVerdict(body, scan) ? { kind: "verdict", verdict: body } : { kind: "unknown", why: "garbled" };
}

// What is shown to an officer must be the answer to this very scan, and whole.
function isVerdict(body, scan) {
  return (
    body?.id === scan.id &&
    OUTCOMES.has(body.outcome) &&
    typeof body.known === "boolean" &&
    Array.isArray(body.reasons) &&
    body.reasons.every((reason) => isWords(reason?.words) && isWords(reason.cure)) &&
    (body.along == null || (Array.isArray(body.along) && body.along.every((one) => isWords(one?.words)))) &&
    (body.refer == null || (isWords(body.refer.name) && Number.isFinite(body.refer.metres)))
  );
}

function isWords(words) {
  return typeof words?.vi === "string" && typeof words.en === "string";
}

/**
 * A code in front of the camera is seen many times a second: send it when it comes, not while it stays.
 * `isNew(text, nowMs)` is false for a text seen within the last `restMs`; another text is new at once.
 */
export class Sightings {
  constructor(restMs = 4000) {
    this.restMs = restMs;
    this.seen = new Map();
  }

  isNew(text, nowMs) {
    const isNew = !this.stays(text, nowMs);
    this.seen.set(text, nowMs);
    return isNew;
  }

  /** Notes that a text that was seen is still there; another is left to be new later. */
  stays(text, nowMs) {
    for (const [other, at] of this.seen) if (nowMs - at >= this.restMs) this.seen.delete(other);
    if (!this.seen.has(text)) return false;
    this.seen.set(text, nowMs);
    return true;
  }
}
