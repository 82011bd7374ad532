// The line that is always in sight: is the server there, and when did it last answer.

import { contactWords } from "./words.js";

const PULSE_MS = 20_000;
const TIMEOUT_MS = 4_000;

/**
 * Asks `/scan/pulse` now and then. Returns `made()` and `lost()`, to be told what checks learn of the network.
 * `onSignedOut()`: the server says that the shift is over. `onChange(state)`: "online" or "offline", when it changes.
 */
export function watchContact({ say, onSignedOut, onChange }) {
  const line = document.getElementById("net");
  let state = "connecting";
  let lastAt = null;

  function draw() {
    line.dataset.state = state;
    const word = say(state);
    const said = document.getElementById("net-state");
    if (said.textContent !== word) said.textContent = word; // a live region: say it only when it changes
    const agoMs = lastAt === null ? null : Date.now() - lastAt;
    document.getElementById("contact").textContent = contactWords(say, agoMs, state === "online");
  }

  function become(next) {
    const changed = next !== state;
    state = next;
    draw();
    if (changed) onChange(state);
  }

  function made() {
    lastAt = Date.now();
    become("online");
  }

  function lost() {
    become("offline");
  }

  async function pulse() {
    if (document.hidden) return;
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
    try {
      const { status } = await fetch("/scan/pulse", { cache: "no-store", redirect: "error", signal: abort.signal });
      if (status === 204 || status === 401) made();
      else lost();
      if (status === 401) onSignedOut();
    } catch {
      lost();
    } finally {
      clearTimeout(timer);
    }
  }

  addEventListener("online", pulse);
  addEventListener("offline", lost);
  document.addEventListener("visibilitychange", pulse);
  setInterval(pulse, PULSE_MS);
  setInterval(draw, 5_000);
  draw();
  pulse();
  return { made, lost };
}
