// Putting a declaration right, with the document in hand: what was scanned off the card or typed goes to the server,
// which judges the person anew. The server writes each repair down with the officer's name.

import { newFactId } from "./ids.js";

const $ = (id) => document.getElementById(id);
let handlers = null; // of the one who opened it last
let about = null; // { scan, citizen }: whom it is about
let card = null; // the text of the card, once its code was read, and until a field is changed
let sending = null; // what is under way: { id }, kept until the server has answered
let turn = 0;

/** What a CCCD card's code says, or null if it is none. What stands past the seventh part never leaves this function. */
export function readCard(text) {
  const parts = text.split("|").slice(0, 7).map((part) => part.trim());
  if (parts.length < 6 || !/^\d{12}$/.test(parts[0])) return null;
  const isShort = dateOf(parts[2]) !== null && dateOf(parts[3]) === null; // the old number was left out
  const [number, old, name, born, sex] = isShort ? [parts[0], "", ...parts.slice(1)] : parts;
  const date = dateOf(born);
  if (!name || date === null) return null;
  const said = sex.normalize("NFC").toLowerCase();
  return { text: parts.join("|"), number, old, name, ...date, sex: said === "nam" ? "male" : said === "nữ" ? "female" : "" };
}

function dateOf(text = "") {
  const [, day, month, year] = /^(\d{2})[-/.]?(\d{2})[-/.]?(\d{4})$/.exec(text) ?? [];
  if (!year) return /^\d{4}$/.test(text) ? { day: "", month: "", year: text } : null;
  return Number(day) > 0 && Number(day) < 32 && Number(month) > 0 && Number(month) < 13 ? { day, month, year } : null;
}

/** Whether what is shown can be repaired: a verdict of the server, to be checked by hand for who they are. */
export function canRepair(answer) {
  const { kind, verdict, scan } = answer;
  if (kind !== "verdict" || verdict.outcome !== "manual" || !verdict.citizen || !scan) return false;
  return verdict.reasons.some(({ code }) => code.startsWith("identity."));
}

/**
 * What to send: `fields` as they were typed, those that say what was declared left out; the card alone if it was read
 * and nothing was changed since.
 */
export function askOf({ id, scan, reason, card, fields }) {
  const ask = { id, scan, reason };
  if (card) return { ...ask, card };
  const { kind, number, name, day, month, year, sex } = fields;
  if (kind === "none" || number.trim()) ask.document = { kind, number: number.trim() };
  if (name.trim()) ask.name = name.trim();
  if (day || month) ask.birth_date = [year, month.padStart(2, "0"), day.padStart(2, "0")].join("-");
  else if (year) ask.birth_date = year;
  if (sex) ask.sex = sex;
  return ask;
}

/** What was put right, in words, for under the new verdict. */
export function repairedWords({ grade, differing }, say) {
  const value = ({ field }, text) => (field === "sex" ? say(`repair.sex.${text}`) : valueOf(field, text, say));
  const each = differing.map((one) =>
    say("repair.changed", say(`repair.field.${one.field}`), value(one, one.declared), value(one, one.document)),
  );
  return [say(`repair.done.${grade}`), ...each].join(" ");
}

function valueOf(field, text, say) {
  if (field === "document.number") return text === "none" ? say("person.no_number") : `••••\u00a0${text}`;
  return field === "birth_date" ? text.split("-").reverse().join("/") : text;
}

/**
 * Open the sheet for the person in `scan`. `onAnswer(answer)` gets the new verdict as checks.js gives one, with
 * `repaired`; `onScanCard()` is asked to read a card with the camera and to call `takeCard`; `onSignedOut()`.
 */
export function openRepair({ say, fetch, now, random, scan, citizen, onAnswer, onScanCard, onSignedOut }) {
  if (!handlers) listen();
  handlers = { say, fetch, now, random, onAnswer, onScanCard, onSignedOut };
  about = { scan, citizen };
  card = sending = null;
  turn += 1;
  $("repair-form").reset();
  const [year, month, day] = citizen.birth_date.split("-");
  fill({ name: citizen.name, day, month, year, number: "", sex: "", kind: citizen.last_four === "none" ? "none" : "cccd" });
  tell(null);
  show();
}

/** The camera has read a card's code. */
export function takeCard(text) {
  const read = readCard(text);
  if (read === null) return false;
  fill({ ...read, kind: "cccd" });
  card = read.text;
  sending = null;
  tell("repair.read");
  show();
  return true;
}

/** Back to the sheet, with what was typed. */
export function show() {
  hideNumber();
  $("repair").showModal();
  $(card ? "repair-reason" : "repair-scan").focus();
}

function listen() {
  $("repair-scan").addEventListener("click", () => {
    $("repair").close();
    handlers.onScanCard();
  });
  $("repair-form").addEventListener("input", ({ target }) => {
    sending = null; // what is sent now is another repair
    if (target.id !== "repair-reason") card = null;
    if (target.id === "repair-kind") hideNumber();
    tell(null);
  });
  $("repair-form").addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
}

function hideNumber() {
  $("repair-number-field").hidden = $("repair-kind").value === "none";
}

function fill(said) {
  for (const field of FIELDS) if (said[field] !== undefined) $(`repair-${field}`).value = said[field];
}

const FIELDS = ["kind", "number", "name", "day", "month", "year", "sex"];

async function send() {
  const reason = $("repair-reason").value;
  if (!reason) {
    tell("repair.no_reason", true);
    return $("repair-reason").focus();
  }
  const mine = ++turn;
  // The same id until the server has answered: sent twice, it is one repair.
  sending ??= newFactId("rep", handlers.now(), handlers.random());
  const fields = Object.fromEntries(FIELDS.map((field) => [field, $(`repair-${field}`).value]));
  tell("repair.asking");
  $("repair-send").disabled = true;
  const answer = await askServer(askOf({ id: sending, scan: about.scan.id, reason, card, fields }));
  $("repair-send").disabled = false;
  if (mine !== turn || !$("repair").open) return;
  if (answer.status === 401) return handlers.onSignedOut();
  if (answer.status === 200) {
    handlers.onAnswer({ kind: "verdict", verdict: answer.body.verdict, scan: about.scan, repaired: answer.body });
    return;
  }
  const lang = document.documentElement.lang === "en" ? "en" : "vi";
  const [first] = Object.values(answer.body?.fields ?? {});
  const words = (first ?? answer.body)?.words?.[lang];
  if (answer.status >= 400 && answer.status < 500 && words) say(words, true);
  else tell(navigator.onLine === false ? "repair.offline" : "repair.failed", true);
  if (answer.status >= 400 && answer.status < 500) sending = null;
}

async function askServer(ask) {
  try {
    const response = await handlers.fetch("/v1/repairs", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(ask),
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      signal: AbortSignal.timeout(12_000),
    });
    return { status: response.status, body: await response.json() };
  } catch {
    return { status: 0, body: null };
  }
}

function tell(key, isBad = false) {
  say(key ? handlers.say(key) : "", isBad);
}

function say(words, isBad = false) {
  $("repair-hint").textContent = words;
  $("repair-hint").classList.toggle("bad", isBad);
}
