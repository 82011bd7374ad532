// The code page works without this file. With it: full screen, a screen that stays awake, time left that counts on, a
// code that proves itself live, a page that opens without signal, and forgetting all of that on a shared phone.

const WAITS = document.querySelector('.status.unknown[data-while="good"]') !== null; // for the register: soon over
const CONTACT_EVERY_MS = (WAITS ? 1 : 10) * 60_000;
const CONTACT_MS = 8_000;
const AWAKE_MS = 5 * 60_000; // without a touch; full screen stays awake for as long as it is open
const RELOAD_AGAIN_MS = 60_000;

const $ = (id) => document.getElementById(id);
const english = document.documentElement.lang === "en";
const figure = $("code");
const whole = $("whole");
const time = document.querySelector(".left time");
const until = Date.parse(time.dateTime);
const { live: LIVE, holder: HOLDER, renew: RENEW, draw: DRAW } = $("parts").dataset;
const address = `/code/${figure.dataset.number}/live`;
const tabs = globalThis.BroadcastChannel ? new BroadcastChannel("motma-code") : null;

const holder = await import(HOLDER);
let skew = await holder.recallSkew(); // the phone's own clock may be wrong by hours
let spent = figure.classList.contains("spent");
let live = null;
let lastContact = 0;

const now = () => Date.now() + skew;

// ---------------------------------------------------------------- time left, in the same steps as `time_left` in citizens.py

function count() {
  if (!spent && now() >= until) expire();
  if (spent) return;
  const minutes = Math.floor((until - now()) / 60000);
  const [n, vi, one, many] =
    minutes < 60 ? [Math.max(1, minutes), "phút", "min", "min"]
    : minutes < 72 * 60 ? [Math.floor(minutes / 60), "giờ", "hour", "hours"]
    : [Math.floor(minutes / 1440), "ngày", "days", "days"];
  time.textContent = english ? `${n} ${n === 1 ? one : many} left` : `Còn ${n} ${vi}`;
  for (const said of document.querySelectorAll(".moment")) said.textContent = momentOf(until);
}

// "Today" was said when the page was made; a page that opens without signal may be of yesterday.
function momentOf(at) {
  const part = (moment, options) =>
    new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Ho_Chi_Minh", ...options }).format(moment);
  const day = { day: "2-digit", month: "2-digit", year: "numeric" };
  const clock = part(at, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const date = part(at, day);
  if (date === part(now(), day)) return clock + (english ? " today" : " hôm nay");
  return `${clock}, ${date.slice(6) === part(now(), day).slice(6) ? date.slice(0, 5) : date}`;
}

function expire() {
  spent = true;
  live?.stop();
  figure.classList.add("spent");
  if (whole.open) whole.close();
  time.textContent = english ? "Expired" : "Đã hết hạn";
  for (const part of document.querySelectorAll("[data-while]")) part.hidden = part.dataset.while === "good";
  $("full").parentElement.hidden = true;
  sayOffline(false);
  stayAwake();
  contact(); // the server's page says what to do
}

// ---------------------------------------------------------------- the server: what time it is, and what the code is now

async function contact() {
  const asked = Date.now();
  let response;
  try {
    response = await within(CONTACT_MS, (signal) =>
      fetch(address, { cache: "no-store", redirect: "error", headers: { accept: "application/json" }, signal }),
    );
    if (response.status === 404) return await forgetHere().then(() => location.reload()); // not this browser's any more
    if (!response.ok) throw new Error(response.status);
    const said = await response.json();
    lastContact = Date.now();
    skew = Math.round(Date.parse(said.now) - (asked + lastContact) / 2);
    holder.keepSkew(skew);
    live?.check();
    sayOffline(false);
    const isSame = said.qid === figure.dataset.qid && Date.parse(said.valid_until) === until && said.usable !== spent;
    if (!isSame || ![figure.dataset.code, live?.text].includes(said.code)) return reload();
    if (!spent) await beginLive();
  } catch {
    sayOffline(true);
  }
  count();
}

function sayOffline(is) {
  if (!$("offline")) return; // a code that was over when the page was made says so, and no more
  $("offline").hidden = !is || spent;
  $("bright").hidden = is || spent;
}

function within(milliseconds, work) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), milliseconds);
  return work(abort.signal).finally(() => clearTimeout(timer));
}

function reload() {
  const before = Number(sessionStorage.getItem("motma-reloaded")) || 0;
  if (Math.abs(Date.now() - before) < RELOAD_AGAIN_MS) return; // on a slow line the kept page may come again
  sessionStorage.setItem("motma-reloaded", Date.now());
  location.reload();
}

// ---------------------------------------------------------------- live

// Anything that fails here leaves the static code that the server drew.
async function beginLive() {
  if (!holder.isAble || !DRAW || live?.isRunning) return;
  try {
    const [bytes, draw, { Live }] = await Promise.all([import(LIVE), import(DRAW), import(RENEW)]);
    live ??= new Live({ bytes, draw, figure, now, qid: figure.dataset.qid, key: await holder.holderKey(figure.dataset.qid) });
    if (!live.begin(figure.dataset.code) && lastContact && !spent) {
      const text = await live.bind(address);
      if (text && live.begin(text)) await keepThisPage(); // it holds the bound code from now on
    }
  } catch (problem) {
    console.info("static code:", problem?.message ?? problem);
  }
}

// ---------------------------------------------------------------- the screen

for (const button of document.querySelectorAll("#full")) {
  button.parentElement.hidden = false;
  button.addEventListener("click", showWhole);
}

async function showWhole() {
  const copy = figure.cloneNode(true);
  copy.removeAttribute("id");
  whole.querySelector(".code")?.remove();
  whole.prepend(copy);
  whole.showModal();
  await whole.requestFullscreen?.().catch(() => {}); // phones that cannot still get the whole page
  await stayAwake();
}

whole.addEventListener("close", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  stayAwake();
});
document.addEventListener("fullscreenchange", () => {
  if (!document.fullscreenElement && whole.open) whole.close();
});

let awake = null;
let isAsking = false;
let isInView = true;
let touchedAt = performance.now();

async function stayAwake() {
  const near = isInView && performance.now() - touchedAt < AWAKE_MS;
  const wanted = !document.hidden && !spent && (whole.open || near);
  if (!wanted) {
    awake?.release();
    awake = null;
  } else if (!awake && !isAsking && navigator.wakeLock) {
    isAsking = true;
    awake = await navigator.wakeLock.request("screen").catch(() => null); // an almost empty battery says no
    isAsking = false;
    awake?.addEventListener("release", () => (awake = null));
  }
}

new IntersectionObserver((seen) => {
  isInView = seen.at(-1).isIntersecting;
  stayAwake();
}, { threshold: 0.5 }).observe(figure);
addEventListener("pointerdown", () => {
  touchedAt = performance.now();
  stayAwake();
}, { passive: true });

// ---------------------------------------------------------------- opening without signal, and forgetting

const worker = navigator.serviceWorker;

async function keepThisPage() {
  const registered = await worker?.getRegistration("/code");
  registered?.active?.postMessage({ keep: `/code?n=${figure.dataset.number}` });
}

async function forgetHere() {
  live?.stop();
  await holder.forgetKeys();
  const registered = await worker?.getRegistration("/code");
  await registered?.unregister();
  const names = (await globalThis.caches?.keys()) ?? [];
  await Promise.all(names.filter((name) => name.startsWith("motma-code-")).map((name) => caches.delete(name)));
  sessionStorage.removeItem("motma-reloaded");
}

$("forget").addEventListener("submit", async (event) => {
  event.preventDefault();
  await forgetHere().catch(() => {});
  try {
    await fetch(event.target.action, { method: "POST", redirect: "manual" }); // the cookie is the server's to take back
    tabs?.postMessage("forgotten");
    location.replace("/code");
  } catch {
    document.body.classList.add("forgotten");
    $("not-forgotten").hidden = false;
  }
});
if (tabs) tabs.onmessage = () => location.reload();

// ---------------------------------------------------------------- begin

count();
setInterval(() => {
  count();
  stayAwake();
  if (!document.hidden && Date.now() - lastContact > CONTACT_EVERY_MS) contact();
}, 30_000);
addEventListener("online", contact);
addEventListener("offline", () => sayOffline(true));
addEventListener("pageshow", (event) => event.persisted && contact());
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  touchedAt = performance.now();
  count();
  stayAwake(); // a wake lock ends when the page is hidden
  if (Date.now() - lastContact > CONTACT_EVERY_MS) contact();
});

if (!spent) await beginLive(); // with a key that is bound already, no signal is needed
await contact();
if (worker) {
  const registered = await worker.register("/code-sw.js", { scope: "/code" }).catch(() => null);
  if (registered && !worker.controller) await worker.ready.then(keepThisPage);
}
