// The code page works without this file. With it: full screen that stays awake, print, and time left that counts on.

const $ = (id) => document.getElementById(id);
const whole = $("whole");
let awake = null;

for (const [id, act] of [["full", showWhole], ["print", () => print()]]) {
  const button = $(id);
  if (!button) continue; // an expired code is not shown large
  button.parentElement.hidden = false;
  button.addEventListener("click", act);
}

async function showWhole() {
  if (!whole.querySelector(".code")) {
    const copy = $("code").cloneNode(true);
    copy.removeAttribute("id");
    whole.prepend(copy);
  }
  whole.showModal();
  await whole.requestFullscreen?.().catch(() => {}); // phones that cannot still get the whole page
  await stayAwake();
}

whole.addEventListener("close", () => {
  awake?.release();
  awake = null;
  if (document.fullscreenElement) document.exitFullscreen();
});
document.addEventListener("fullscreenchange", () => {
  if (!document.fullscreenElement && whole.open) whole.close();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && whole.open) stayAwake(); // a wake lock ends when the page is hidden
});

async function stayAwake() {
  awake = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
}

// In the same steps as `time_left` in citizens.py.
const time = document.querySelector(".left time");
const until = Date.parse(time.dateTime);
const english = document.documentElement.lang === "en";

function count() {
  const minutes = Math.floor((until - Date.now()) / 60000);
  if (minutes < 0) return void location.reload(); // the page says what to do
  const [n, vi, one, many] =
    minutes < 60 ? [Math.max(1, minutes), "phút", "min", "min"]
    : minutes < 72 * 60 ? [Math.floor(minutes / 60), "giờ", "hour", "hours"]
    : [Math.floor(minutes / 1440), "ngày", "days", "days"];
  time.textContent = english ? `${n} ${n === 1 ? one : many} left` : `Còn ${n} ${vi}`;
}

if (until > Date.now()) setInterval(count, 30000);
