// The QR that proves itself: every half minute the holder's key signs the code with the time, and the QR is drawn anew
// in the place of the static one. A clock beside it ticks, so that people see it too.

const RENEW_MS = 30_000;
const QUIET = 4; // modules of white on each side (ISO/IEC 18004)

/**
 * `bytes` is live.js, `draw` is lean-qr, `key` is from holder.js, `now()` the corrected time in milliseconds.
 * `text` is the code that is bound to the key, once there is one.
 */
export class Live {
  constructor({ bytes, draw, figure, now, qid, key }) {
    Object.assign(this, { bytes, draw, now, qid, key, text: null, isRunning: false });
    this.drawings = [...figure.querySelectorAll(".qr")].map(({ outerHTML }) => outerHTML);
    this.point = bytes.compressed(key.point);
    this.isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    addEventListener("beforeprint", () => this.#showStatic()); // paper does not renew: a proof on it would be an old one
    addEventListener("afterprint", () => this.isRunning && this.#renew());
    document.addEventListener("visibilitychange", () => this.check());
  }

  /** Show `text` live from now on; false, and nothing happens, if it is not bound to our key. */
  begin(text) {
    const code = text && this.bytes.openCode(text);
    if (!code || !this.bytes.isBoundTo(code, this.point)) return false;
    Object.assign(this, { text, code, isRunning: true, shownAt: null });
    clearInterval(this.timer);
    this.timer = setInterval(() => this.check(), 1000);
    this.check();
    return true;
  }

  /** Back to the static code, for good or until `begin`. */
  stop() {
    this.isRunning = false;
    clearInterval(this.timer);
    this.#showStatic();
  }

  /** Have the server bind our key into the code; the text of the bound code, or null if it will not. */
  async bind(address) {
    const key = btoa(String.fromCharCode(...this.point)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
    const headers = { "content-type": "application/json", accept: "application/json" };
    const response = await fetch(address, { method: "POST", headers, body: JSON.stringify({ key, qid: this.qid }) });
    if (!response.ok) return null;
    const said = await response.json();
    return said.qid === this.qid ? said.code : null;
  }

  /** Renew the proof if it is old by now; asked every second, and when the clock was put right. */
  check() {
    if (!this.isRunning || document.hidden) return;
    const age = this.now() - (this.shownAt ?? -Infinity);
    if (age >= RENEW_MS || age < 0) this.#renew();
    else this.#sayTime(age);
  }

  async #renew() {
    const at = this.now();
    this.shownAt = at;
    const seconds = Math.floor(at / 1000);
    try {
      const proof = await this.key.sign(this.bytes.toBeSigned(this.code, seconds));
      if (!this.isRunning) return;
      this.#show(this.#svgOf(this.bytes.withProof(this.code, seconds, proof)));
      this.#sayTime(0);
    } catch {
      this.stop(); // the key is gone: the static code is as good as any picture
    }
  }

  #svgOf(text) {
    const { generate, mode, correction } = this.draw;
    const qr = generate(mode.alphaNumeric(text), { minCorrectionLevel: correction.M, maxCorrectionLevel: correction.M });
    let path = "";
    for (let y = 0; y < qr.size; y++) {
      for (let x = 0, from = -1; x <= qr.size; x++) {
        if (qr.get(x, y)) from = from < 0 ? x : from;
        else if (from >= 0) {
          path += `M${from + QUIET} ${y + QUIET}.5h${x - from}`;
          from = -1;
        }
      }
    }
    return { side: qr.size + 2 * QUIET, path };
  }

  #show({ side, path }) {
    for (const svg of document.querySelectorAll(".code .qr")) {
      const [ground, dark] = svg.children;
      svg.setAttribute("viewBox", `0 0 ${side} ${side}`);
      ground.setAttribute("d", `M0 0h${side}v${side}H0z`);
      dark.setAttribute("d", path);
      svg.dataset.live = this.shownAt;
    }
    for (const line of document.querySelectorAll(".code .live")) line.hidden = false;
  }

  #showStatic() {
    for (const svg of document.querySelectorAll(".code .qr[data-live]")) svg.outerHTML = this.drawings[0];
    for (const line of document.querySelectorAll(".code .live")) line.hidden = true;
    this.shownAt = null;
  }

  // The ring runs out as the proof ages; the clock is what an officer can compare with their own.
  #sayTime(age) {
    const left = this.isStill ? 30 : Math.ceil((RENEW_MS - age) / 1000);
    const clock = new Intl.DateTimeFormat("en-GB", {
      timeZone: "Asia/Ho_Chi_Minh",
      hour: "2-digit",
      minute: "2-digit",
      second: this.isStill ? undefined : "2-digit",
      hourCycle: "h23",
    }).format(this.now());
    for (const said of document.querySelectorAll(".live .clock")) said.textContent = clock;
    for (const ring of document.querySelectorAll(".live .ring .rest")) ring.setAttribute("stroke-dasharray", `${left} 30`);
  }
}
