// The declaration works without this file. With it, communes come as soon as a province is chosen, a step is fetched
// in place, so that neither a lost connection nor a busy server loses what was typed, and the browser's own Back goes
// one step back. Nothing is stored on the device.

document.documentElement.classList.add("script");

const form = () => document.getElementById("declare");
let depth = 0; // steps made in this page, for the browser's own Back

document.addEventListener("change", async (event) => {
  const province = event.target;
  const target = province.dataset?.communes;
  if (!target) return;
  const select = document.getElementById(target);
  select.length = 1; // keep "choose a commune"
  if (!province.value) return;
  select.disabled = true;
  try {
    const answer = await fetch(`/units/${encodeURIComponent(province.value)}.json`);
    if (!answer.ok) throw new Error(String(answer.status));
    const communes = Object.entries(await answer.json());
    communes.sort((a, b) => a[1].localeCompare(b[1], "vi"));
    for (const [code, name] of communes) select.add(new Option(name, code));
    sayOffline(false);
  } catch {
    document.documentElement.classList.remove("script"); // the button that asks the server instead
    sayOffline(true);
  } finally {
    select.disabled = false;
  }
});

document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (event.target !== form() || !button || button.hasAttribute("formaction")) return;
  event.preventDefault();
  send(button.value, button);
});

addEventListener("popstate", (event) => {
  const there = event.state?.depth ?? 0;
  if (!form() || there >= depth) return;
  depth = there;
  send("back");
});

async function send(go, button) {
  if (form().ariaBusy === "true") return;
  const body = new URLSearchParams(new FormData(form()));
  body.set("go", go);
  form().ariaBusy = "true";
  if (button) button.ariaBusy = "true";
  try {
    const answer = await fetch("/", { method: "POST", body, headers: { accept: "text/html" } });
    if (answer.redirected) return void location.assign(answer.url);
    // Busy or broken: keep the page and what was typed.
    if (answer.status >= 429 && !answer.headers.has("motma-said")) throw new Error(String(answer.status));
    show(await answer.text(), go);
  } catch {
    sayOffline(true);
  } finally {
    if (form()) form().ariaBusy = "false";
    if (button) button.ariaBusy = "false";
  }
}

function show(html, go) {
  const before = form()?.elements.step.value;
  const page = new DOMParser().parseFromString(html, "text/html");
  document.title = page.title;
  document.body.className = page.body.className;
  document.getElementById("main").replaceWith(page.getElementById("main"));
  document.querySelector(".top").replaceWith(page.querySelector(".top"));
  const after = form()?.elements.step.value;
  if (after !== before && go !== "back") history.pushState({ depth: ++depth }, "");
  scrollTo(0, 0);
  (document.getElementById("problems") ?? document.querySelector("h1")).focus();
}

function sayOffline(offline) {
  const notice = document.getElementById("offline");
  if (notice) notice.hidden = !offline;
}
