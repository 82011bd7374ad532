// The number pad: 18 digits in three groups, the check digit verified before anybody is asked.

import { digitsOf, groupQid, qidProblem } from "./ids.js";

const $ = (id) => document.getElementById(id);
let handlers = null; // of the one who opened it last

/** Open the pad; `onQid(digits)` gets a number whose check digit holds. */
export function openPad({ say, onQid }) {
  if (!handlers) listen();
  handlers = { say, onQid };
  write("");
  $("pad").showModal();
  $("digits").focus();
}

function listen() {
  $("keys").addEventListener("click", (event) => {
    const key = event.target.closest("[data-key]")?.dataset.key;
    const digits = digitsOf($("digits").value);
    if (key === "clear") write("");
    else if (key === "back") write(digits.slice(0, -1));
    else if (key) write(digitsOf(digits + key));
  });
  $("digits").addEventListener("input", () => write(digitsOf($("digits").value), true));
  $("pad-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const digits = digitsOf($("digits").value);
    if (qidProblem(digits) === null) handlers.onQid(digits);
    else write(digits);
  });
}

// Grouping must not throw the caret about when a digit in the middle is changed.
function write(digits, typed = false) {
  const field = $("digits");
  const before = typed ? digitsOf(field.value.slice(0, field.selectionStart)).length : digits.length;
  field.value = groupQid(digits);
  const caret = before + Math.floor(Math.max(0, before - 1) / 6);
  field.setSelectionRange(caret, caret);
  const problem = digits ? qidProblem(digits) : "short";
  const { say } = handlers;
  if (problem === "short") $("pad-hint").textContent = say("pad.left", 18 - digits.length);
  else $("pad-hint").textContent = say(problem === null ? "pad.ready" : "pad.check_digit");
  $("pad").dataset.problem = problem ?? "none";
}
