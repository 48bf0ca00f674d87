/* Selecting tickets in the queue: a count, and with Shift all between two clicks. Without it each box works by itself. */
(() => {
  "use strict";
  const boxes = () => [...document.querySelectorAll("input[data-pick]")];
  let last = null;

  const show = () => {
    const picked = boxes().filter((box) => box.checked);
    boxes().forEach((box) => box.closest("tr").classList.toggle("picked", box.checked));
    const said = document.querySelector("[data-picked-count]");
    if (said) said.textContent = picked.length ? `${picked.length} selected` : "Select tickets, then choose";
  };

  document.addEventListener("click", (event) => {
    const label = event.target.closest("label.pick");
    const box = event.target.matches("input[data-pick]") ? event.target : null;
    if (label && !box && event.shiftKey) event.preventDefault(); // no text selection between two clicks
    const meant = box || (label && event.shiftKey && label.querySelector("input[data-pick]"));
    if (!meant) return;
    if (!box) meant.checked = !meant.checked;
    if (event.shiftKey && last) {
      const all = boxes();
      const [from, to] = [all.indexOf(last), all.indexOf(meant)].sort((a, b) => a - b);
      all.slice(from, to + 1).forEach((each) => { each.checked = meant.checked; });
    }
    last = meant;
    show();
  });
  document.addEventListener("change", (event) => { if (event.target.matches("input[data-pick]")) show(); });
  window.addEventListener("pageshow", show);
})();
