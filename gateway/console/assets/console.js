// What little script the console has: tells of new records, sends a form when a choice is made and only to a gateway that is
// there, prints, and lets a keyboard reach what scrolls. Every page works without it.
"use strict";

const live = document.querySelector("[data-live]");
if (live) {
  const first = Number(live.dataset.live);
  const source = new EventSource("/live");
  source.addEventListener("records", (event) => {
    const more = Number(event.data) - first;
    if (more > 0) {
      live.querySelector("[data-live-count]").textContent = String(more);
      live.hidden = false;
    }
  });
  addEventListener("pagehide", () => source.close());
}

document.querySelectorAll("select[data-send], input[data-send]").forEach((choice) => {
  choice.addEventListener("change", () => choice.form.requestSubmit(choice.form.querySelector("[data-choose]")));
});
document.querySelectorAll("[data-print]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => print());
});
// Going through a wide table by keyboard: what scrolls can be reached.
const reach = () => document.querySelectorAll(".scroll, .picture").forEach((part) => {
  if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
  else part.removeAttribute("tabindex");
});
addEventListener("resize", reach);
reach();

// Where nobody listens a browser shows a page of its own, and what was typed is gone. So a form goes when the gateway answers;
// until then it stays as it is, with a word on what happened. Scripts that keep a form back for themselves go first.
const down = document.querySelector("[data-down]");
const there = () => fetch(down.dataset.down, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(5000) }).then(() => true, () => false);
let asking = false, answered = false, waiting;
const tell = (kind, text) => {
  down.className = "said wide " + kind;
  down.textContent = text;
  down.hidden = false;
};
document.addEventListener("submit", async (event) => {
  const { target: form, submitter } = event;
  if (event.defaultPrevented || form.method !== "post") return;
  if (answered) {
    answered = false;
    return;
  }
  event.preventDefault();
  if (asking) return;
  asking = true;
  answered = await there();
  asking = false;
  clearInterval(waiting);
  if (answered) {
    down.hidden = true;
    form.requestSubmit(submitter);
    return;
  }
  form.append(down);
  tell("stop", down.dataset.gone);
  waiting = setInterval(async () => {
    if (asking || !(await there())) return;
    clearInterval(waiting);
    tell("pass", down.dataset.back);
  }, 2000);
});
