// The scanner's page: what the officer touches and sees. Thinking is done in the other modules.

import { paperProblem, withPaper } from "./along.js";
import { deviceStore, openBelief } from "./belief.js";
import { Camera } from "./camera.js";
import { Sightings, makeChecks, newScan } from "./checks.js";
import { makeDecoder } from "./decoder.js";
import { qidProblem } from "./ids.js";
import { listenForBursts } from "./keyboard.js";
import { openPad } from "./pad.js";
import { openPlate } from "./plate.js";
import { openRepair, show as showRepair, takeCard } from "./repair.js";
import { keep, recall } from "./settings.js";
import { Sound } from "./sound.js";
import { watchContact } from "./contact.js";
import { viewOf } from "./verdict.js";
import { sayIn } from "./words.js";

const lang = document.documentElement.lang;
const say = sayIn(lang);
const $ = (id) => document.getElementById(id);
const sound = new Sound(() => recall("volume"));
const sightings = new Sightings();

// ---------------------------------------------------------------- a scan, and its verdict

let isResting = true; // nothing is being said over the camera
let hushed; // the timer that ends what is said
let isOffline = false;
const contact = watchContact({
  say,
  onSignedOut: () => show({ kind: "signed_out" }, { silent: true }),
  onChange(state) {
    if (isOffline && state === "online") belief.refresh();
    isOffline = state === "offline";
    if (isResting) tell(null);
  },
});
const check = makeChecks({ fetch: (...ask) => fetch(...ask), url: "/v1/checks", now: Date.now, onContact: contact.made });

const belief = openBelief({
  store: deviceStore(),
  fetch: (...ask) => fetch(...ask),
  device: document.body.dataset.device || null,
});
const LISTS_MS = 240_000; // a list of status is good for 300 s
(async function takeLists() {
  await belief.refresh();
  setTimeout(takeLists, LISTS_MS * (0.75 + Math.random() / 4)); // not all devices in the same second
})();

let turn = 0; // the newest scan; the answer to an older one is not shown over it
let shown = null;
let sought = null; // what is to be scanned instead of somebody's code: "card" (repair.js) or a paper of along.js
const random = () => crypto.getRandomValues(new Uint8Array(10));

function submit(text) {
  const what = qidProblem(text) === null ? { qid: text } : { code: text };
  return judge(newScan(what, Date.now(), random()));
}

/** `back(answer)` takes an answer that is not to be shown; it returns whether it did. */
async function judge(scan, back = () => false) {
  const mine = ++turn;
  closeSheets();
  leaveVerdict(); // the last person's colour must not stand over the next
  tell("asking", { stays: true });
  const slow = setTimeout(() => mine === turn && tell("asking.slow", { stays: true }), 2000);
  const answer = await check(scan);
  clearTimeout(slow);
  if (answer.kind === "unknown" && answer.why !== "refused") {
    contact.lost();
    if (scan.code) answer.says = await belief.says(scan.code);
  }
  if (mine === turn && !back(answer)) show(answer);
}

function show(answer, { silent = false } = {}) {
  const view = viewOf(answer, lang);
  shown = { answer, view };
  tell(null);
  document.body.dataset.tone = view.tone;
  $("shape").firstElementChild.setAttribute("href", `#shape-${view.tone}`);
  $("word").replaceChildren(...view.word.map((line) => element("span", line)));
  $("word").style.setProperty("--letters", Math.max(...view.word.map((line) => line.length)));
  $("word").style.setProperty("--lines", view.word.length);
  $("word").style.setProperty("--in-one-line", view.word.join(" ").length);
  fill("beside", view.beside.text);
  $("beside").lang = view.beside.lang;
  fill("name", view.name);
  $("about").replaceChildren(...(view.about ?? []).map((part) => element("span", part)));
  fill("live", view.live);
  $("citizen").hidden = view.name === null;
  fill("reason", view.reason);
  fill("cure", view.cure ?? view.until);
  fill("note", view.note);
  $("why").hidden = !(view.reason ?? view.cure ?? view.until);
  $("more").hidden = view.more.length === 0;
  $("more").open = false;
  $("more-title").textContent = `${say("more")} (${view.more.length})`;
  $("more-list").replaceChildren(...view.more.map(({ reason, cure }) => element("li", `${reason} ${cure}`)));
  $("act").textContent = say(`action.${view.action}`);
  $("next").hidden = view.action === "next" || view.action === "sign_in";
  $("verdict").hidden = $("go-on").hidden = false;
  $("verdict").classList.remove("tight");
  $("verdict").classList.toggle("tight", $("main").scrollHeight > $("main").clientHeight);
  $("main").scrollTop = 0;
  if (!document.querySelector("dialog[open]")) $("verdict").focus({ preventScroll: true });
  if (!silent) sound.play(view.tone);
}

function leaveVerdict() {
  if (shown) leftAt = performance.now();
  shown = null;
  seek(null);
  delete document.body.dataset.tone;
  $("verdict").hidden = $("go-on").hidden = true;
}

$("act").addEventListener("click", () => {
  if (shown.view.action === "retry") judge(shown.answer.scan);
  else if (shown.view.action === "sign_in") location.assign("/scan/shift");
  else if (shown.view.action === "repair") repair(shown.answer);
  else if (shown.view.action !== "next") look(shown.view.action);
  else leaveVerdict();
});
$("next").addEventListener("click", leaveVerdict);

// ---------------------------------------------------------------- putting a declaration right

function repair({ scan, verdict }) {
  openRepair({
    say,
    fetch: (...ask) => fetch(...ask),
    now: Date.now,
    random,
    scan,
    citizen: verdict.citizen,
    onAnswer(answer) {
      turn += 1;
      closeSheets();
      show(answer);
    },
    onScanCard: () => look("card"),
    onSignedOut() {
      closeSheets();
      show({ kind: "signed_out" }, { silent: true });
    },
  });
}

// ---------------------------------------------------------------- a card, or a paper shown along with the code

function seek(what) {
  sought = what;
  document.body.classList.toggle("reading-card", what === "card");
  document.body.classList.toggle("reading-paper", what !== null && what !== "card");
}

/** The camera and the hand scanner now look for `what`; the verdict waits. */
function look(what) {
  seek(what);
  leftAt = performance.now();
  delete document.body.dataset.tone;
  $("verdict").hidden = $("go-on").hidden = true;
  tell(what === "card" ? "repair.aim" : `${what}.aim`, { stays: true });
  if (what !== "card") $("leave-paper").focus({ preventScroll: true });
}

/** Back to the verdict, which stands behind the sheet of a card. */
function lookBack() {
  seek(null);
  if (shown) show(shown.answer, { silent: true });
  else tell(null);
}

/** A text from the camera, a picture or a hand scanner: what is sought, else somebody's code. */
async function received(text) {
  if (sought === null) return submit(text);
  if (sought !== "card") return receivedPaper(text, sought, shown.answer);
  seek(null); // so that the sheet opens over the verdict
  if (takeCard(text)) return lookBack();
  seek("card");
  tell("repair.not_card", { stays: true });
}

/** The same person is checked anew, with their paper. A paper that is refused is not their verdict: the next may do. */
async function receivedPaper(text, paper, before) {
  const problem = paperProblem(text, before.scan);
  if (problem) return tell(problem, { stays: true });
  await judge(withPaper(before.scan, paper, text, Date.now(), random()), (answer) => {
    if (!answer.words || !String(answer.code).startsWith("check.along_")) return false;
    show(before, { silent: true });
    look(paper);
    tell(`${paper}.aim`, { stays: true, words: answer.words[lang] });
    return true;
  });
}

$("leave-paper").addEventListener("click", lookBack);
$("type-card").addEventListener("click", () => {
  lookBack();
  showRepair();
});

// A double tap on the big button must not press the button that appears beneath it.
let leftAt = -Infinity;
for (const tools of document.querySelectorAll(".tools, .card-tools, .paper-tools")) {
  tools.addEventListener(
    "click",
    (event) => {
      if (!event.isTrusted || event.timeStamp - leftAt > 400) return;
      event.preventDefault();
      event.stopPropagation();
    },
    true,
  );
}
for (const place of ["verdict", "finder"]) {
  $(place).addEventListener("click", (event) => {
    const isAsked = sought !== null || shown?.view.action === "sign_in";
    if (shown && !isAsked && !event.target.closest("details, a, button")) leaveVerdict();
  });
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && sought) return void $(sought === "card" ? "type-card" : "leave-paper").click();
  if (event.key === "Escape" && shown && shown.view.action !== "sign_in") leaveVerdict();
});

// ---------------------------------------------------------------- where codes come from

const decoder = await makeDecoder();

const camera = new Camera({
  video: $("video"),
  decoder,
  onState: showCamera,
  onText(text, frameAt) {
    if (document.querySelector("dialog[open]")) return void sightings.stays(text, Date.now());
    if (!sightings.isNew(text, Date.now())) return;
    measure("motma.decode", frameAt);
    received(text).then(() => measure("motma.verdict", frameAt));
  },
  onFailure: () => tell("reader.failed", { stays: true }),
});

function showCamera(state) {
  $("finder").dataset.state = state;
  $("torch").hidden = !(state === "live" && camera.hasTorch);
  $("invitation").hidden = state === "live";
  if (state === "live") {
    tell(null);
    keepAwake();
    return;
  }
  fill("camera-title", say(`camera.${state}.title`));
  fill("camera-text", say(`camera.${state}.text`));
  $("camera-start").hidden = state === "starting" || state === "none" || state === "insecure";
  $("camera-start").textContent = say(state === "ask" ? "camera.ask.button" : "camera.again");
}

$("camera-start").addEventListener("click", () => camera.start());

$("torch").addEventListener("click", async () => {
  const on = $("torch").getAttribute("aria-pressed") !== "true";
  if (!(await camera.setTorch(on))) return;
  $("torch").setAttribute("aria-pressed", String(on));
  $("torch").textContent = say(on ? "torch.on" : "torch.off");
});

$("picture").addEventListener("change", async ({ target }) => {
  const [file] = target.files;
  target.value = ""; // so that the same picture can be picked again
  if (!file) return;
  tell("picture.reading", { stays: true });
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture) return tell("picture.unreadable");
  const whole = { x: 0, y: 0, width: picture.width, height: picture.height };
  try {
    const text = await decoder.read(picture, whole, { thorough: true });
    await (text ? received(text) : tell("picture.none"));
  } catch {
    tell("reader.failed", { stays: true });
  } finally {
    picture.close();
  }
});

listenForBursts(window, {
  onScan: received,
  onComposed: () => tell("wedge.composed"),
});

$("open-pad").addEventListener("click", () => openPad({ say, onQid: submit }));
$("open-plate").addEventListener("click", () => {
  closeSheets();
  openPlate({
    say,
    fetch: (...ask) => fetch(...ask),
    onQid: submit,
    onSignedOut() {
      closeSheets();
      show({ kind: "signed_out" }, { silent: true });
    },
  });
});

// ---------------------------------------------------------------- shift, settings, small things

const officer = document.body.dataset.officer;
const place = officer ? { checkpoint: document.body.dataset.checkpoint, officer } : recall("place");
keep("place", place);
if (place) {
  fill("checkpoint", place.checkpoint);
  fill("officer", place.officer);
  fill("settings-officer", place.officer);
}

$("volume").value = recall("volume");
$("volume").addEventListener("change", ({ target }) => {
  keep("volume", Number(target.value));
  sound.play("go");
});
$("night").checked = recall("night");
$("night").addEventListener("change", ({ target }) => {
  keep("night", target.checked);
  dim();
});
function dim() {
  document.documentElement.classList.toggle("night", recall("night"));
}
dim();

$("open-settings").addEventListener("click", () => $("settings").showModal());
for (const sheet of document.querySelectorAll("dialog")) {
  sheet.addEventListener("click", (event) => {
    if (event.target === sheet || event.target.closest("[data-close]")) sheet.close();
  });
}

function closeSheets() {
  for (const sheet of document.querySelectorAll("dialog[open]")) sheet.close();
}

for (const kind of ["pointerdown", "keydown"]) {
  addEventListener(kind, async () => (await sound.wake()) && isResting && tell(null), true);
}

async function keepAwake() {
  await navigator.wakeLock?.request("screen").catch(() => {});
}
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && $("finder").dataset.state === "live") keepAwake();
});

/** Say `key`, or `words`, over the camera; null: what stands there when there is nothing to say. */
function tell(key, { stays = false, words = null } = {}) {
  clearTimeout(hushed);
  isResting = key === null;
  const rests = key ?? restingWords();
  $("message").textContent = words ?? (rests ? say(rests) : "");
  $("message").classList.toggle("said", !isResting || isOffline);
  if (key && !stays) hushed = setTimeout(() => tell(null), 6000);
}

function restingWords() {
  if (isOffline) return "aim.offline";
  if ($("finder").dataset.state !== "live") return null;
  return sound.isAwake || recall("volume") === 0 ? "aim" : "aim.silent";
}

function fill(id, text) {
  $(id).textContent = text ?? "";
  $(id).hidden = text === null;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function measure(name, start) {
  performance.clearMeasures(name); // only the newest is kept
  performance.measure(name, { start, end: performance.now() });
}

camera.prepare();
navigator.serviceWorker?.register(`/sw.js?l=${lang}`, { scope: "/scan", updateViaCache: "none" }).catch(() => {});
