// What little script the console has: tells of new records, sends a form when a choice is made, prints, and lets a keyboard
// reach what scrolls. Every page works without it.
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
  choice.addEventListener("change", () => choice.form.requestSubmit());
});
document.querySelectorAll("[data-print]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => print());
});
// Going through a wide table by keyboard: what scrolls can be reached.
document.querySelectorAll(".scroll, .picture").forEach((part) => {
  if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
});
