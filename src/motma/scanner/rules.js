// CertLogic 1.3.3 on the device: the twin of core/rules. What an expression means, and every error code, stands in
// docs/rules.md; both are held to vectors/rules/. A date-time is a Date.

export const BUDGET = 100_000;
export const MAX_DEPTH = 64;
export const MAX_SIZE = 10_000;
export const MAX_PROBLEMS = 100;
const MAX_UCI = 1_000;
const UNITS = ["year", "month", "day", "hour"];

/** A rule that has no value: `code` as in core/rules/problems.py, `path` a JSON Pointer into the expression. */
export class RuleError extends Error {
  constructor(code, path) {
    super(`${code} at ${path || "the root"}`);
    this.code = code;
    this.path = path;
  }
}

/** The value of `expression` over `data`. Throws RuleError, and nothing else. */
export const evaluate = (expression, data) => compile(expression)(data);

/** What `evaluate` asks, made ready once. Throws RuleError if `expression` is no CertLogic. */
export function compile(expression) {
  check(expression);
  const run = compiled(expression, "");
  return (data) => {
    const left = { steps: BUDGET };
    const value = run(data, left);
    return value === null || typeof value === "string" || typeof value === "boolean" ? value : given(value, left);
  };
}

/** The same of `{ if: [expression, true, false] }`: whether it is true. */
export function compileTruth(expression) {
  check(expression);
  const run = compiled(expression, "");
  return (data) => truth(run(data, { steps: BUDGET }), "/if/0");
}

/** What is wrong with `expression`, in the order of the document: [{ path, code }]. */
export function validate(expression) {
  const problems = [];
  walk(expression, problems, true);
  return problems;
}

/** Every path of the data on which the value can depend; each stands for all that lies below it. */
export function reads(expression) {
  check(expression);
  const found = new Set();
  const gather = (at) => {
    if (Array.isArray(at)) at.forEach(gather);
    else if (typeof at === "object") {
      const [[name, operands]] = Object.entries(at);
      if (name === "var") found.add(operands);
      else if (name === "reduce") gather([operands[0], operands[2]]);
      else gather(name === "plusTime" || name === "extractFromUVCI" ? operands[0] : operands);
    }
  };
  gather(expression);
  return found;
}

// -- form -------------------------------------------------------------------------------------------------------------

const below = (path, step) => `${path}/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`;
const isObject = (value) => Object.prototype.toString.call(value) === "[object Object]";
const isNumber = (value) => typeof value === "number";

const INTEGERS = ["<", ">", "<=", ">="];
const MOMENTS = ["before", "after", "not-after", "not-before"];
const ORDER = [(a, b) => a < b, (a, b) => a > b, (a, b) => a <= b, (a, b) => a >= b];
const each = (names, value) => Object.fromEntries(names.map((name) => [name, value]));
const ALONE = ["plusTime", "dccDateOfBirth", "extractFromUVCI", "reduce"];
const ARITY = new Map(
  Object.entries({
    ...each(["if", "plusTime", "reduce"], [3, 3]),
    ...each([...INTEGERS, ...MOMENTS], [2, 3]),
    ...each(["===", "in", "+", "extractFromUVCI"], [2, 2]),
    ...each(["!", "dccDateOfBirth"], [1, 1]),
    and: [2, MAX_SIZE],
  }),
);
const RESULTS = {
  ...each(["===", "in", "!", ...INTEGERS, ...MOMENTS], "boolean"),
  ...each(["plusTime", "dccDateOfBirth"], "date-time"),
  "+": "integer",
};
const WANTED = {
  ...each(["+", ...INTEGERS], "integer"),
  ...each(MOMENTS, "date-time"),
  ...each(["plusTime", "dccDateOfBirth", "extractFromUVCI"], "string"),
  reduce: "array",
};

function check(expression) {
  const problems = [];
  const size = walk(expression, problems, false);
  if (problems.length) throw new RuleError(problems[0].code, problems[0].path);
  return size;
}

const ENOUGH = new Error("enough");

/** The size of `expression`; what is wrong goes to `problems`: all of it, or (not `complete`) the first that is no CertLogic. */
function walk(expression, problems, complete) {
  let size = 0;
  const say = (code, path) => {
    problems.push({ path, code });
    if (problems.length >= (complete ? MAX_PROBLEMS : 1)) throw ENOUGH;
  };
  const never = (code, path) => complete && say(code, path);
  const count = (parts, path) => {
    size += parts;
    if (size <= MAX_SIZE) return;
    say("rule.too_large", path);
    throw ENOUGH;
  };

  /** The type of the value of `at` as far as it can be told. */
  const kindOf = (at, path, depth, inside) => {
    count(1, path);
    if (Array.isArray(at) || isObject(at)) {
      if (depth > MAX_DEPTH) say("rule.too_deep", path);
      else if (!Array.isArray(at)) return operation(at, path, depth, inside);
      else {
        for (let place = 0; place < at.length; place++) kindOf(at[place], below(path, place), depth + 1, inside);
        return "array";
      }
      return "any";
    }
    if (typeof at === "boolean" || typeof at === "string") return typeof at;
    if (isNumber(at) && Math.abs(at) > Number.MAX_SAFE_INTEGER) say("rule.number", path);
    if (isNumber(at) && (Number.isInteger(at) || Math.abs(at) === Infinity)) return "integer";
    say(at === null ? "rule.null" : isNumber(at) && !Number.isNaN(at) ? "rule.not_integer" : "rule.not_json", path);
    return "any";
  };
  const operation = (at, path, depth, inside) => {
    const entries = Object.entries(at);
    if (entries.length !== 1) {
      say("rule.form", path);
      return "any";
    }
    const [name, operands] = entries[0];
    const here = below(path, name);
    if (name === "var") variable(operands, here, inside);
    else if (!Array.isArray(operands)) say("rule.form", here);
    else if (!ARITY.has(name)) say("rule.operation", here);
    else return taking(name, operands, here, depth + 1, inside);
    return "any";
  };
  const variable = (path, here, inside) => {
    if (typeof path !== "string") return say("rule.form", here);
    const parts = path.split(".");
    count(parts.length - 1, here);
    if (path !== "" && parts.includes("")) say("rule.path", here);
    else if (inside && path !== "" && parts[0] !== "current" && parts[0] !== "accumulator") never("rule.lambda", here);
  };
  const taking = (name, operands, here, depth, inside) => {
    const [fewest, most] = ARITY.get(name);
    if (operands.length < fewest || operands.length > most) say("rule.arity", here);
    const argued = name === "plusTime" || name === "extractFromUVCI";
    let kinds = operands
      .slice(0, argued ? 1 : most)
      .map((operand, place) => kindOf(operand, below(here, place), depth, inside || (name === "reduce" && place === 1)));
    if (argued) {
      if (operands.length > 1 && !Number.isSafeInteger(operands[1])) say("rule.argument", below(here, 1));
      if (name === "plusTime" && operands.length > 2 && !UNITS.includes(operands[2])) say("rule.argument", below(here, 2));
    }
    types(name, operands, kinds, here);
    if (name === "if") kinds = kinds.slice(1);
    if (name === "if" || name === "and") return new Set(kinds).size === 1 ? kinds[0] : "any";
    return RESULTS[name] ?? "any";
  };
  const types = (name, operands, kinds, here) => {
    kinds.forEach((kind, place) => {
      const at = below(here, place);
      let wanted = place === 0 || !ALONE.includes(name) ? (WANTED[name] ?? "any") : "any";
      if (name === "in" && place === 1) wanted = "array";
      if (kind === "date-time" && (name === "and" || name === "!" || (name === "if" && place === 0))) never("rule.truth", at);
      else if (wanted !== "any" && kind !== wanted && kind !== "any") never("rule.operand", at);
    });
    const structure = (kind) => kind === "array" || kind === "date-time";
    if (name === "===" && kinds.length === 2 && kinds.every(structure)) never("rule.operand", here);
    const read = { plusTime: momentOf, dccDateOfBirth: dateOfBirth }[name];
    if (read && typeof operands[0] === "string" && read(operands[0]) === null) never("rule.date", below(here, 0));
  };

  try {
    kindOf(expression, "", 1, false);
  } catch (error) {
    if (error !== ENOUGH) throw error;
  }
  return size;
}

// -- dates ------------------------------------------------------------------------------------------------------------

const DATE = /^([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?$/;
const MOMENT =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?:Z|([+-])([0-9]{1,2}?)(?::?([0-9]{2}))?)?$/;
const MOST_CHARACTERS = 64;
const FIRST = Date.parse("0001-01-01T00:00:00.000Z");
const LAST = Date.parse("9999-12-31T23:59:59.999Z");
const HOUR_MS = 3_600_000;

const within = (ms) => (ms >= FIRST && ms <= LAST ? new Date(ms) : null);

/** The instant of midnight of a day that exists, in ms; NaN of one that does not. */
function midnight(year, month, day) {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() : NaN;
}

function momentOf(text) {
  if (text.length <= 10) return dateOfBirth(text);
  const found = text.length <= MOST_CHARACTERS ? MOMENT.exec(text) : null;
  if (!found) return null;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number);
  const [fraction = "", sign, hours = 0, minutes = 0] = found.slice(7);
  if (hour > 23 || minute > 59 || second > 59 || hours > 23 || minutes > 59) return null;
  const there = ((hour * 60 + minute) * 60 + second) * 1000 + Number(fraction.slice(0, 3).padEnd(3, "0"));
  const ahead = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return within(midnight(year, month, day) + there + (sign === "-" ? ahead : -ahead));
}

function dateOfBirth(text) {
  const found = DATE.exec(text);
  if (!found) return null;
  const [year, month, day] = found.slice(1).map(Number);
  if (found[3]) return within(midnight(year, month, day));
  const last = new Date(midnight(year, found[2] ? month : 12, 1)); // of no month: no date either
  last.setUTCMonth(last.getUTCMonth() + 1, 0);
  return within(last.getTime());
}

function later(start, amount, unit) {
  const date = new Date(start);
  if (unit === "hour") date.setTime(date.getTime() + amount * HOUR_MS);
  else if (unit === "day") date.setTime(date.getTime() + amount * 24 * HOUR_MS);
  else if (unit === "month") date.setUTCMonth(date.getUTCMonth() + amount);
  else date.setUTCFullYear(date.getUTCFullYear() + amount);
  return within(date.getTime());
}

// -- values -----------------------------------------------------------------------------------------------------------

function truth(value, path) {
  if (value === true || value === false) return value;
  if (value === null || typeof value === "string") return Boolean(value);
  if (isNumber(value) && (Number.isInteger(value) || Math.abs(value) === Infinity)) return value !== 0;
  if (Array.isArray(value)) return value.length > 0;
  if (isObject(value)) return Object.keys(value).length > 0;
  throw new RuleError("rule.truth", path);
}

function integer(value, path) {
  if (Number.isSafeInteger(value)) return value;
  const large = isNumber(value) && Math.abs(value) > Number.MAX_SAFE_INTEGER;
  throw new RuleError(large ? "rule.number" : "rule.operand", path);
}

const simple = (value) => value === null || typeof value === "boolean" || isNumber(value);

function same(one, other, path) {
  if (typeof one === "string" || typeof other === "string") return one === other;
  if (isNumber(one) && isNumber(other)) {
    const safe = Math.abs(one) <= Number.MAX_SAFE_INTEGER && Math.abs(other) <= Number.MAX_SAFE_INTEGER;
    if (!safe) throw new RuleError("rule.number", path);
    return one === other;
  }
  if (simple(one) || simple(other)) return one === other;
  throw new RuleError("rule.operand", path);
}

function pay(left, steps, path) {
  left.steps -= steps;
  if (left.steps < 0) throw new RuleError("rule.budget", path);
}

/** `value` if it is one that can leave: JSON through and through, and not too much of it. */
function given(value, left) {
  const waiting = [[value, 1]];
  while (waiting.length) {
    const [one, depth] = waiting.pop();
    if (Array.isArray(one) || isObject(one)) {
      const inside = Array.isArray(one) ? one : Object.values(one);
      pay(left, depth > MAX_DEPTH ? Infinity : inside.length, "");
      for (const item of inside) waiting.push([item, depth + 1]);
    } else if (isNumber(one) && !Number.isNaN(one)) {
      if (Math.abs(one) > Number.MAX_SAFE_INTEGER) throw new RuleError("rule.number", "");
    } else if (!(simple(one) || typeof one === "string" || one instanceof Date) || Number.isNaN(one)) {
      throw new RuleError("rule.data", "");
    }
  }
  return value;
}

// -- operations -------------------------------------------------------------------------------------------------------

function compiled(expression, path) {
  if (Array.isArray(expression)) {
    const items = expression.map((item, place) => compiled(item, below(path, place)));
    return (data, left) => items.map((item) => item(data, left));
  }
  if (!isObject(expression)) return () => expression;
  const [[name, operands]] = Object.entries(expression);
  const here = below(path, name);
  if (name === "var") return variableOf(operands, here);
  const argued = name === "plusTime" || name === "extractFromUVCI";
  const runs = (argued ? operands.slice(0, 1) : operands).map((operand, place) => compiled(operand, below(here, place)));
  const compare = ORDER[Math.max(INTEGERS.indexOf(name), MOMENTS.indexOf(name))];
  if (compare) return compared(compare, runs, here, INTEGERS.includes(name) ? integer : instant);
  return OPERATIONS[name](runs, here, operands);
}

const INDEX = /^([+-]?)0*([0-9]+)$/;

function variableOf(path, here) {
  const keys = path === "" ? [] : path.split(".").map((part) => (INDEX.test(part) ? Number(part) : part));
  return (data) => {
    for (const key of keys) {
      if (Array.isArray(data)) data = isNumber(key) ? data[key] : undefined;
      else if (isObject(data)) data = !isNumber(key) && Object.hasOwn(data, key) ? data[key] : undefined;
      else if (simple(data) || typeof data === "string") return null;
      else throw new RuleError("rule.data", here);
      if (data === undefined) return null;
    }
    return data;
  };
}

function instant(value, path) {
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw new RuleError("rule.operand", path);
  return value.getTime();
}

function compared(compare, runs, here, read) {
  const paths = runs.map((_, place) => below(here, place));
  return (data, left) => {
    const [a, b, c] = runs.map((run) => run(data, left)).map((value, place) => read(value, paths[place]));
    return compare(a, b) && (c === undefined || compare(b, c));
  };
}

function text(value, path) {
  if (typeof value !== "string") throw new RuleError("rule.operand", path);
  return value;
}

function dateIn(value, path, parse) {
  const date = parse(text(value, path));
  if (date === null) throw new RuleError("rule.date", path);
  return date;
}

const OPERATIONS = {
  if([guard, then, otherwise], here) {
    const at = below(here, 0);
    return (data, left) => (truth(guard(data, left), at) ? then : otherwise)(data, left);
  },
  and(runs, here) {
    const paths = runs.map((_, place) => below(here, place));
    return (data, left) => {
      let seen = null;
      for (let place = 0; place < runs.length; place++) {
        seen = runs[place](data, left);
        if (!truth(seen, paths[place])) return seen;
      }
      return seen;
    };
  },
  "!"([operand], here) {
    const at = below(here, 0);
    return (data, left) => !truth(operand(data, left), at);
  },
  "==="([one, other], here) {
    return (data, left) => same(one(data, left), other(data, left), here);
  },
  in([member, array], here, [, written]) {
    const at = below(here, 1);
    // What is written out is paid for as a part of the expression.
    const free = Array.isArray(written) && !written.some((item) => typeof item === "object");
    return (data, left) => {
      const one = member(data, left);
      const others = free ? written : array(data, left);
      if (!Array.isArray(others)) throw new RuleError("rule.operand", at);
      if (!free) pay(left, others.length, here);
      return typeof one === "string" ? others.includes(one) : others.some((other) => same(one, other, here));
    };
  },
  "+"([one, other], here) {
    const [first, second] = [below(here, 0), below(here, 1)];
    return (data, left) => {
      const [a, b] = [one(data, left), other(data, left)];
      const total = integer(a, first) + integer(b, second);
      if (!Number.isSafeInteger(total)) throw new RuleError("rule.range", here);
      return total;
    };
  },
  plusTime([operand], here, [, amount, unit]) {
    const at = below(here, 0);
    return (data, left) => {
      const moved = later(dateIn(operand(data, left), at, momentOf), amount, unit);
      if (moved === null) throw new RuleError("rule.range", here);
      return moved;
    };
  },
  dccDateOfBirth([operand], here) {
    const at = below(here, 0);
    return (data, left) => dateIn(operand(data, left), at, dateOfBirth);
  },
  reduce([array, next, initial], here, operands) {
    const at = below(here, 0);
    const cost = check(operands[1]);
    return (data, left) => {
      const items = array(data, left);
      if (items === null) return initial(data, left);
      if (!Array.isArray(items)) throw new RuleError("rule.operand", at);
      pay(left, items.length * cost, here);
      let accumulator = initial(data, left);
      for (const current of items) accumulator = next({ accumulator, current }, left);
      return accumulator;
    };
  },
  extractFromUVCI([operand], here, [, index]) {
    const at = below(here, 0);
    return (data, left) => {
      const uci = operand(data, left);
      if (uci === null || uci === undefined) return null;
      if ([...text(uci, at)].length > MAX_UCI) throw new RuleError("rule.budget", at);
      return uci.replace(/^URN:UVCI:/, "").split(/[/#:]/)[index] ?? null;
    };
  },
};
