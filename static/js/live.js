/* Keep a page whole while it polls: typed text and opened rows stay, a lost connection shows and heals. */
(() => {
  "use strict";
  const offline = () => document.getElementById("offline");
  let wait = 1000;
  let timer = 0;

  if (window.Idiomorph) {
    Object.assign(Idiomorph.defaults.callbacks, {
      // A row someone opened or closed stays so; what someone is typing is theirs.
      beforeAttributeUpdated: (name, node) =>
        name !== "data-touched" && !(name === "open" && node.dataset && node.dataset.touched),
      // What was loaded into a part of its own stays while its id does; under a new id it is loaded anew.
      beforeNodeMorphed: (node, next) =>
        !(node.matches && (node.matches("form[data-dirty]") || (node.matches("[data-kept]") && node.id === next.id))),
      beforeNodeRemoved: (node) => !(node.matches && node.matches("form[data-dirty]")),
    });
  }

  document.addEventListener("click", (event) => {
    const summary = event.target.closest("summary");
    if (summary) summary.parentElement.dataset.touched = "yes";
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
  document.addEventListener("input", (event) => {
    if (event.target.form) event.target.form.dataset.dirty = "yes";
  });

  // A second click on the same button must not send the form twice.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent && form.method === "post") {
      event.preventDefault();
      return;
    }
    if (form.method === "post") form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
  });

  // Each fragment brings a poller of its own, with an id of its own: htmx fires "load" once in an element's life.
  const poller = () => document.querySelector("[data-poll]");
  const again = () => {
    const node = poller();
    if (!node) return;
    htmx.ajax("GET", node.getAttribute("hx-get"), { source: node, target: "#live", swap: "morph:outerHTML" });
  };
  const lost = (event) => {
    if (!event.target.closest || !event.target.closest("[data-live]")) return;
    offline().hidden = false;
    clearTimeout(timer);
    timer = setTimeout(again, wait);
    wait = Math.min(wait * 2, 10000);
  };
  document.addEventListener("htmx:sendError", lost);
  document.addEventListener("htmx:timeout", lost);
  document.addEventListener("htmx:responseError", lost);
  // What is wrong with a form, or was changed meanwhile, is an answer to show like any other.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status !== 409 && event.detail.xhr.status !== 422) return;
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  });
  document.addEventListener("htmx:afterOnLoad", (event) => {
    if (event.detail.xhr.status >= 400) return;
    wait = 1000;
    offline().hidden = true;
  });
  window.addEventListener("offline", () => { if (poller()) offline().hidden = false; });
  window.addEventListener("online", () => { clearTimeout(timer); again(); if (!poller()) offline().hidden = true; });

  // A link to a check opens the step that holds it.
  const reveal = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (!target || !target.closest("details.step")) return;
    for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) {
      fold.open = true;
      fold.dataset.touched = "yes";
    }
    target.scrollIntoView({ block: "center" });
  };
  window.addEventListener("hashchange", reveal);
  window.addEventListener("DOMContentLoaded", reveal);
})();
