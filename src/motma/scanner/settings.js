// What this device remembers between openings: how it looks and sounds, and where it stands. Nothing about citizens.

const DEFAULTS = { volume: 0.8, night: false, place: null };

function storage() {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined; // a browser may forbid it; then the page only forgets
  }
}

/** The value kept under `name`, or its default. */
export function recall(name) {
  try {
    return JSON.parse(storage()?.getItem(`motma.${name}`) ?? "null") ?? DEFAULTS[name];
  } catch {
    return DEFAULTS[name];
  }
}

/** Keep `value` under `name`; null forgets it. */
export function keep(name, value) {
  try {
    if (value === null) storage()?.removeItem(`motma.${name}`);
    else storage()?.setItem(`motma.${name}`, JSON.stringify(value));
  } catch {
    // full or forbidden: the page works on, and forgets
  }
}
