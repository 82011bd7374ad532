// What decides, on the device: the twin of core/decision.judge, over policies as core/bundle.py writes them (tests and
// titles may be there too). Both judges run vectors/verdicts/. A reason is { code, outcome, known, words, cure }, words
// as { vi, en }.
//
// What cannot be read is never passed over: a rule without sense here has no value, so it makes `manual`.

import { compileTruth } from "./rules.js";

const WEIGHT = { accept: 0, manual: 1, refer: 2, reject: 3 };
const AS_READ = "code.*";
const NO_END = "~"; // after every date-time
const VALUES = "values.";
const OF_POLICY = new Set(["id", "version", "title", "valid_from", "valid_to", "values", "rules"]);
const OF_RULE = new Set(["id", "affected", "holds", "verdict", "known", "waives", "reason", "words", "cure", "tests"]);

/**
 * Policies one after another, compiled once: { parts, reasons, unreadable }. Never throws. `reasons`: those that no rule
 * owns, by code; `isComplete` false: a policy that belongs here could not be had. Then, and where two have one name or
 * one cannot be read, everybody is looked at by hand.
 */
export function compileRulebook(policies, reasons, { isComplete = true } = {}) {
  const parts = policies.map(partOf);
  const rules = parts.flatMap((part) => part?.rules ?? []);
  const names = [parts.map((part) => part?.id), rules.map(({ id }) => id), rules.map(({ name }) => name)];
  const clash = names.some((said) => new Set(said).size < said.length);
  return { parts: parts.filter((part) => part), reasons, unreadable: !isComplete || clash || parts.includes(null) };
}

/** The policy with its rules compiled; null if it is none. */
function partOf(policy) {
  try {
    const { id, valid_from, valid_to = null, values = {}, rules } = policy;
    need(typeof id === "string" && isObject(values) && within(policy, OF_POLICY));
    const ends = valid_to === null ? NO_END : instant(valid_to);
    const known = namedIn(values);
    return { id, begins: instant(valid_from), ends, rules: rules.map((rule) => ruleOf(rule, known)) };
  } catch {
    return null;
  }
}

function ruleOf(rule, values) {
  const { id, reason: name, verdict, known = true, words, cure, waives = [] } = rule;
  const named = { id: String(id), name: String(name), waives: [] };
  try {
    need(within(rule, OF_RULE) && (verdict === "accept" || !waives.length));
    const owned = { code: name, outcome: verdict, known, words: wordsOf(words), cure: wordsOf(cure) };
    need(name === AS_READ || (Object.hasOwn(WEIGHT, verdict) && typeof known === "boolean" && owned.words && owned.cure));
    return { ...named, holds: compileTruth(filledIn(rule.holds, values)), reason: name === AS_READ ? null : owned, waives: [...waives] };
  } catch {
    return { ...named, holds: unreadable, reason: null };
  }
}

function unreadable() {
  throw new Error("a rule that this device cannot read");
}

/** The values of a policy as they are filled in: in those that are expressions, the ones before them. */
function namedIn(values) {
  const known = {};
  for (const [name, value] of Object.entries(values)) known[name] = isObject(value) ? filledIn(value, known) : value;
  return known;
}

/** `holds` with what `values` say in the place of each {"var": "values.NAME"}. */
function filledIn(holds, values) {
  if (Array.isArray(holds)) return holds.map((item) => filledIn(item, values));
  if (!isObject(holds)) return holds;
  const path = holds.var;
  const isValue = typeof path === "string" && path.startsWith(VALUES) && Object.hasOwn(values, path.slice(VALUES.length));
  if (isValue && Object.keys(holds).length === 1) return values[path.slice(VALUES.length)];
  return Object.fromEntries(Object.entries(holds).map(([name, operands]) => [name, filledIn(operands, values)]));
}

/**
 * The verdict over an evidence document: { outcome, reasons, known, failed }, the deciding reason first; `failed` names
 * the rules without a value. Never throws.
 */
export function judge(seen, book) {
  const now = seen?.now;
  const isTold = typeof now === "string";
  const against = [];
  const failures = [];
  const waived = new Set();
  for (const { id: policy, begins, ends, rules } of book.parts) {
    if (!(isTold && begins <= now && now < ends)) continue;
    for (const { id, holds, reason, waives } of rules) {
      try {
        if (holds(seen)) continue;
        against.push([policy, reason ?? asRead(seen, book)]);
        for (const name of waives) waived.add(name);
      } catch {
        failures.push([policy, id]); // RuleError; or whatever else went wrong: it is no yes
      }
    }
  }
  const reasons = against.filter(([policy]) => !waived.has(policy)).map(([, reason]) => reason);
  const failed = failures.filter(([policy]) => !waived.has(policy)).map(([, id]) => id);
  if (failed.length || book.unreadable || !isTold) reasons.push(book.reasons["rule.error"]);
  if (!reasons.length) return { outcome: "accept", reasons, known: true, failed };
  reasons.sort((one, other) => WEIGHT[other.outcome] - WEIGHT[one.outcome]); // stable
  const [{ outcome, known }] = reasons;
  const nowhere = outcome === "refer" && !seen.diversion?.open; // nobody is sent on without a place to go on to
  return { outcome: nowhere ? "manual" : outcome, reasons, known, failed };
}

function asRead(seen, { reasons }) {
  const problem = seen.code?.problem ?? "";
  return Object.hasOwn(reasons, problem) ? reasons[problem] : reasons["code.not_ours"];
}

/** Reasons that no rule owns, from the bundle's words in pairs; throws for what is none. */
export function reasonsOf(said) {
  const reasons = {};
  for (const [code, { outcome, known, words, cure }] of Object.entries(said)) {
    need(Object.hasOwn(WEIGHT, outcome) && typeof known === "boolean" && wordsOf(words) && wordsOf(cure));
    reasons[code] = { code, outcome, known, words: wordsOf(words), cure: wordsOf(cure) };
  }
  need(["rule.error", "code.not_ours", "measure.none_active"].every((code) => reasons[code]));
  return reasons;
}

function wordsOf(pair) {
  const isPair = Array.isArray(pair) && pair.length === 2 && pair.every((text) => typeof text === "string" && text);
  return isPair ? { vi: pair[0], en: pair[1] } : null;
}

/** As evidence tells time: in UTC, to the millisecond. */
function instant(text) {
  need(typeof text === "string");
  return new Date(text.replace(/(\.\d{3})\d+/, "$1")).toISOString(); // throws for what is no date-time
}

function within(object, names) {
  return isObject(object) && Object.keys(object).every((name) => names.has(name));
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function need(holds) {
  if (!holds) throw new TypeError("no policy");
}
