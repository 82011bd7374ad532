// A hand scanner is a keyboard that types very fast and ends with Enter (or Tab). This tells its bursts from
// a person's typing, anywhere on the page. Time is an argument of the detector.

const TERMINATORS = new Set(["Enter", "Tab"]);
const LONGEST = 4296; // what the largest QR code holds in its alphanumeric mode

/**
 * Fed with every key press, says when a burst has become a scan.
 * A burst: at least `shortest` characters, none later than `pauseMs` after the one before, `meanMs` on average. Once it
 * is too long to be a hand's, a busy machine may stammer for `stammerMs`: half a code is worse than none.
 */
export class BurstDetector {
  constructor({ shortest = 9, pauseMs = 120, stammerMs = 600, meanMs = 45 } = {}) {
    Object.assign(this, { shortest, pauseMs, stammerMs, meanMs });
    this.#forget();
  }

  /**
   * `key` as in KeyboardEvent, `at` in milliseconds. Returns `{ burst, scan, composed }`: `burst` while the keys
   * are too fast for a hand, `scan` the text when it just ended, `composed` when an input method ate its letters.
   */
  press(key, at) {
    if (at - this.last > (this.#isFast(20) ? this.stammerMs : this.pauseMs)) this.#forget();
    if (TERMINATORS.has(key)) return this.#end();
    if (key === "Process" || key === "Unidentified") {
      this.#add("", at, true);
    } else if ([...key].length === 1) {
      this.#add(key, at, false);
    } // Shift, AltGraph and their kind belong to the character that follows
    return { burst: this.#isFast(2), scan: null, composed: false };
  }

  #add(text, at, composed) {
    if (this.count === 0) this.first = at;
    if (this.text.length < LONGEST) this.text += text;
    this.count += 1;
    this.last = at;
    this.composed ||= composed;
  }

  #end() {
    const whole = this.#isFast(this.shortest);
    const answer = {
      burst: whole,
      scan: whole && !this.composed ? asPrinted(this.text) : null,
      composed: whole && this.composed,
    };
    this.#forget();
    return answer;
  }

  #isFast(atLeast) {
    return this.count >= atLeast && (this.last - this.first) / (this.count - 1) <= this.meanMs;
  }

  #forget() {
    Object.assign(this, { text: "", count: 0, first: 0, last: -Infinity, composed: false });
  }
}

// With Caps Lock on, a hand scanner types our capitals as small letters. Ours is recognised by its first three
// characters (a zlib header in base 45), a health certificate by its prefix; other codes keep their letters, because
// theirs may matter.
const OURS = /^(?:NCF|6BF|Y9F|V7F)[0-9A-Z $%*+\-./:]{60,}$/;
const CERTIFICATE = /^HC1:[0-9A-Z $%*+\-./:]{60,}$/;

/** Whether `text` looks like a code of ours. */
export function isOurs(text) {
  return OURS.test(text.trim());
}

/** The text as it is printed in the code. */
export function asPrinted(text) {
  const capitals = text.toUpperCase();
  return OURS.test(capitals) || CERTIFICATE.test(capitals) ? capitals : text;
}

/**
 * Listen on `target` (the window). `onScan(text)` for each burst; `onComposed()` when an input method such as Telex
 * swallowed one. Outside text fields the keys of a burst are kept from buttons, scrolling and shortcuts.
 */
export function listenForBursts(target, { onScan, onComposed }) {
  const detector = new BurstDetector();
  let swallow = false;
  const guard = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  target.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.repeat) return;
      const { burst, scan, composed } = detector.press(event.key, event.timeStamp);
      swallow = burst;
      if (burst && (scan !== null || composed || !isTextField(event.target))) guard(event);
      if (scan !== null) onScan(scan);
      else if (composed) onComposed();
    },
    true,
  );
  // The space and Enter keys press a focused button on their way up.
  target.addEventListener("keyup", (event) => swallow && !isTextField(event.target) && guard(event), true);
}

function isTextField(element) {
  return element.matches?.("input:not([type=button],[type=submit],[type=range],[type=checkbox]), textarea, select");
}
