// The editor of policies: line numbers, the validator asked while somebody writes, problems that lead to their lines.
// Without this script the page is complete: "Check" does the same.

const form = document.getElementById("editor");
const area = form.querySelector("textarea");
const numbers = form.querySelector(".pol-numbers");
const findings = document.getElementById("findings");
const state = document.getElementById("checking");
const wait = 500;
let marks = {};
let asked = 0;
let timer = 0;
let saved = area.value;

// ---- line numbers

function number() {
  const count = area.value.split("\n").length;
  numbers.replaceChildren(
    ...Array.from({ length: count }, (_, place) => {
      const line = document.createElement("span");
      line.textContent = `${place + 1}\n`;
      if (marks[place + 1] !== undefined) line.className = marks[place + 1] ? "pol-stop" : "pol-warn";
      return line;
    }),
  );
  follow();
}

const follow = () => {
  numbers.scrollTop = area.scrollTop;
};

function goTo(line) {
  const before = area.value.split("\n").slice(0, line - 1);
  const start = before.reduce((sum, text) => sum + text.length + 1, 0);
  const end = area.value.indexOf("\n", start);
  area.focus();
  area.setSelectionRange(start, end < 0 ? area.value.length : end);
  const height = parseFloat(getComputedStyle(area).lineHeight);
  area.scrollTop = Math.max(0, (line - 4) * height);
  area.scrollLeft = 0;
}

// ---- the validator

async function check() {
  const turn = ++asked;
  state.textContent = state.dataset.busy;
  const body = new FormData();
  body.set("text", area.value);
  try {
    const answer = await fetch("/ops/policies/check", { method: "POST", body });
    if (!answer.ok) throw new Error(answer.status);
    const { html, lines } = await answer.json();
    if (turn !== asked) return; // somebody went on writing
    findings.innerHTML = html;
    marks = lines;
    number();
    state.textContent = "";
  } catch {
    if (turn === asked) state.textContent = state.dataset.away;
  }
}

numbers.hidden = false;
for (const link of findings.querySelectorAll("[data-line]"))
  marks[link.dataset.line] ||= link.closest("li").classList.contains("pol-stop");
number();
check();
area.addEventListener("scroll", follow);
area.addEventListener("input", () => {
  number();
  clearTimeout(timer);
  timer = setTimeout(check, wait);
});
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-line]");
  if (!link) return;
  event.preventDefault();
  goTo(Number(link.dataset.line));
});
form.addEventListener("submit", () => {
  saved = area.value;
});
window.addEventListener("beforeunload", (event) => {
  if (area.value !== saved) event.preventDefault();
});
