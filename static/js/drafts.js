/* Keep what is typed: two seconds after the last key it is sent to be kept, sealed, until the form goes through. */
(() => {
  "use strict";
  const WAIT = 2000;
  const timers = new Map();
  const under_way = new Map();

  const keep = (box, late) => {
    clearTimeout(timers.get(box));
    timers.delete(box);
    const token = box.form && box.form.querySelector("[name=csrfmiddlewaretoken]");
    if (!token) return;
    const body = new URLSearchParams({ place: box.dataset.draft, text: box.value, csrfmiddlewaretoken: token.value });
    const stop = new AbortController();
    under_way.set(box, stop);
    fetch(box.dataset.draftTo, { method: "POST", body, credentials: "same-origin", redirect: "manual", keepalive: late, signal: stop.signal })
      .catch(() => {}) // the next key tries again
      .finally(() => { if (under_way.get(box) === stop) under_way.delete(box); });
  };

  document.addEventListener("input", (event) => {
    const box = event.target.closest("textarea[data-draft]");
    if (!box) return;
    clearTimeout(timers.get(box));
    timers.set(box, setTimeout(() => keep(box, false), WAIT));
  });
  // What is sent need not be kept; a draft that is still on its way must not come after it.
  document.addEventListener("submit", (event) => {
    for (const [box, timer] of timers) {
      if (box.form !== event.target) continue;
      clearTimeout(timer);
      timers.delete(box);
    }
    for (const [box, stop] of under_way) if (box.form === event.target) stop.abort();
  });
  window.addEventListener("pagehide", () => { for (const box of [...timers.keys()]) keep(box, true); });

  // A button that copies a text is there only where it works.
  const ready = () => document.querySelectorAll("button[data-copy]").forEach((button) => { button.hidden = false; });
  window.addEventListener("DOMContentLoaded", ready);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-copy]");
    const box = button && document.getElementById(button.dataset.copy);
    if (!box) return;
    box.select();
    const plain = () => document.execCommand("copy");
    if (navigator.clipboard) navigator.clipboard.writeText(box.value).catch(plain);
    else plain();
    button.lastChild.textContent = "Copied";
  });
})();
