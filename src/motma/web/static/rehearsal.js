// Moves the bar while a rehearsal runs, and shows what came of it. Without this script the page reloads itself.

const part = document.getElementById("progress");
const EVERY_MS = 700;

async function look() {
  try {
    const answer = await fetch(part.dataset.from, { headers: { accept: "text/html" }, cache: "no-store" });
    const html = answer.ok ? await answer.text() : "";
    if (!html) return location.reload();
    const fresh = document.createElement("div");
    fresh.innerHTML = html;
    const [bar, said] = [fresh.querySelector("progress"), fresh.querySelector("p")];
    part.querySelector("p").replaceWith(said);
    Object.assign(part.querySelector("progress"), { max: bar.max, value: bar.value });
  } catch {
    // The network comes and goes; the rehearsal does not.
  }
  setTimeout(look, EVERY_MS);
}

setTimeout(look, EVERY_MS);
