// What little script the console has: tells of new records, sends forms when a choice is made, and keeps the token of
// forms when a session began anew. Every page works without it.
"use strict";

const token = (response) => {
  const fresh = response.getResponseHeader("x-veldwacht-token");
  if (!fresh) return;
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-Veldwacht-Token": fresh }));
  document.querySelectorAll("input[name=_token]").forEach((input) => { input.value = fresh; });
};
document.addEventListener("htmx:afterRequest", (event) => token(event.detail.xhr));
// A form that comes back because its session ended is a page like any other.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status === 409) { event.detail.shouldSwap = true; event.detail.isError = false; }
});

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
document.querySelectorAll(".scroll").forEach((part) => {
  if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
});
