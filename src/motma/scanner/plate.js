// By the vehicle's plate: for somebody who can show no code and knows no number. The server writes every look-up down.

import { plateOf } from "./ids.js";

const $ = (id) => document.getElementById(id);
let handlers = null; // of the one who opened it last
let turn = 0; // the newest look-up; the answer to an older one is not shown

/** Open the sheet; `onQid(digits)` gets the number of the person who was picked, `onSignedOut()` that the shift is over. */
export function openPlate({ say, fetch, onQid, onSignedOut }) {
  if (!handlers) listen();
  handlers = { say, fetch, onQid, onSignedOut };
  turn += 1;
  $("plate").value = "";
  show(null, []);
  $("plate-sheet").showModal();
  $("plate").focus();
}

function listen() {
  $("plate-form").addEventListener("submit", (event) => {
    event.preventDefault();
    look(plateOf($("plate").value));
  });
  $("plate").addEventListener("input", () => show(null, []));
}

async function look(plate) {
  if (plate === null) return show("plate.malformed", []);
  const mine = ++turn;
  show("plate.asking", []);
  const answer = await askServer(plate);
  if (mine !== turn) return;
  if (answer.status === 401) return handlers.onSignedOut();
  if (answer.people) show(answer.people.length ? "plate.pick" : "plate.nobody", answer.people);
  else show(answer.status === 429 ? "plate.too_often" : answer.status === 422 ? "plate.malformed" : "plate.failed", []);
}

async function askServer(plate) {
  try {
    const response = await handlers.fetch("/scan/plates", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ plate }),
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(8000),
    });
    return { status: response.status, people: response.ok ? (await response.json()).people : null };
  } catch {
    return { status: 0, people: null };
  }
}

function show(key, people) {
  $("plate-hint").textContent = key ? handlers.say(key) : "";
  $("plate-people").replaceChildren(...people.map(personButton));
}

function personButton({ qid, name, birth_year: year, last_four: lastFour }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button person";
  const about = document.createElement("span");
  about.textContent = `${year} · •••• ${lastFour}`;
  button.append(name, about);
  button.addEventListener("click", () => handlers.onQid(qid));
  return button;
}
