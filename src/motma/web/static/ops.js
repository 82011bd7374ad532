// The operators' page, kept fresh: new figures are worked into the page that is there, so that focus, open forms and
// typed text stay. Without this script the page is complete and merely stands still.

const live = document.getElementById("live");
const part = (name) => document.querySelector(`[data-part="${name}"]`);
const rows = part("rows");
const heads = [...document.querySelectorAll("th[data-sort]")];
const filter = document.getElementById("filter");
let sorted = null; // {column, down}

// ---- work new HTML into the page

const typed = /^(input|select|textarea|option)$/;
const keeps = (node, name) =>
  (node.localName === "details" && name === "open") || (typed.test(node.localName) && /^(value|checked|selected)$/.test(name));

function morph(old, fresh) {
  if (old.isEqualNode(fresh) || fresh.dataset?.keep === "") return;
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes])
    if (!fresh.hasAttribute(name) && !keeps(old, name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes)
    if (old.getAttribute(name) !== value && !keeps(old, name)) old.setAttribute(name, value);
  const named = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  let here = old.firstChild;
  for (const want of [...fresh.childNodes]) {
    const match = want.id ? named.get(want.id) : here && !here.id && here.nodeName === want.nodeName ? here : null;
    if (!match) old.insertBefore(document.importNode(want, true), here);
    else {
      if (match === here) here = here.nextSibling;
      else old.insertBefore(match, here);
      morph(match, want);
    }
  }
  while (here) {
    const next = here.nextSibling;
    here.remove();
    here = next;
  }
}

function show(html) {
  for (const [name, text] of Object.entries(html)) {
    const old = part(name);
    if (!old) continue;
    const fresh = old.cloneNode(false);
    fresh.innerHTML = text;
    if (old === rows) arrange(fresh);
    morph(old, fresh);
  }
}

// ---- the table: sort, filter

const busy = () => rows.contains(document.activeElement) || rows.querySelector("details[open]");
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").toLowerCase();

function arrange(body) {
  const list = [...body.children];
  if (body !== rows && busy()) {
    const order = new Map([...rows.children].map((row, index) => [row.id, index])); // nothing moves under the hand
    list.sort((a, b) => (order.get(a.id) ?? 1e9) - (order.get(b.id) ?? 1e9));
  } else if (sorted) {
    const value = (row) => row.cells[sorted.column].dataset.n;
    const way = sorted.down ? -1 : 1;
    list.sort((a, b) => way * (sorted.column ? value(a) - value(b) : value(a).localeCompare(value(b), "vi")));
  }
  const sought = plain(filter.value.trim());
  for (const row of list) row.hidden = !plain(row.cells[0].textContent).includes(sought);
  document.getElementById("none").hidden = list.some((row) => !row.hidden);
  body.append(...list);
}

heads.forEach((head, column) => {
  const button = document.createElement("button");
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => {
    sorted = { column, down: sorted?.column === column ? !sorted.down : column > 0 };
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
    arrange(rows);
  });
});
filter.closest("label").hidden = false;
filter.addEventListener("input", () => arrange(rows));

// ---- from the plan or the rail to a checkpoint's row, even a filtered one

document.addEventListener("click", (event) => {
  const id = event.target.closest?.('a[href^="#cp-"]')?.getAttribute("href").slice(1);
  const row = id && document.getElementById(id);
  if (row?.hidden) {
    filter.value = "";
    arrange(rows);
  }
});

// ---- live, or since when not

const silence = 5000;
let heard = performance.now();

function say(state) {
  if (live.dataset.state === state) return;
  live.dataset.state = state;
  document.body.classList.toggle("stale", state === "stale");
  live.querySelector("[role=status]").textContent = live.dataset[state];
}

function hear(at) {
  heard = performance.now();
  const clock = live.querySelector("time");
  clock.dateTime = at;
  clock.textContent = new Date(at).toLocaleTimeString("en-GB", { timeZone: "Asia/Ho_Chi_Minh" });
  say("live");
}

say("connecting");
const source = new EventSource("/ops/live");
source.addEventListener("snapshot", (event) => {
  const { html, at } = JSON.parse(event.data);
  show(html);
  hear(at);
});
source.addEventListener("still", (event) => hear(event.data));
setInterval(() => performance.now() - heard > silence && say("stale"), 500);
