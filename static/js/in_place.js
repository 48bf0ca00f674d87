/* Send a marked form without leaving the page: its answer is the same page, of which the living part takes the place
   of the old one. Without scripts, or when anything is unclear, the form is sent as every form is. */
(() => {
  "use strict";

  const tell = (fresh) => {
    const main = document.getElementById("main");
    main.querySelectorAll(":scope > [data-said]").forEach((old) => old.remove());
    const said = fresh.querySelector("#main > [data-said]");
    if (said) main.prepend(document.importNode(said, true));
  };

  const show = (text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const part = fresh.getElementById("live");
    const live = document.getElementById("live");
    if (!part || !live) {
      document.open();
      document.write(text);
      document.close();
      return;
    }
    // What was being typed in the form that was sent has arrived; other forms keep their words.
    Idiomorph.morph(live, document.importNode(part, true), { morphStyle: "outerHTML" });
    htmx.process(document.getElementById("live"));
    tell(fresh);
    const wrong = document.querySelector("#live [role=alert]");
    if (wrong) wrong.scrollIntoView({ block: "center" });
  };

  const send = async (form, button) => {
    const body = new FormData(form, button);
    form.setAttribute("aria-busy", "true");
    delete form.dataset.dirty;
    form.querySelectorAll("details[data-touched]").forEach((fold) => delete fold.dataset.touched);
    const box = form.closest("details.sure");
    if (box) box.open = false;
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { "X-In-Place": "yes" } });
      if (answer.redirected && new URL(answer.url).pathname !== location.pathname) {
        location.assign(answer.url);
        return;
      }
      show(await answer.text());
    } catch {
      form.dataset.dirty = "yes";
      document.getElementById("offline").hidden = false;
    } finally {
      form.removeAttribute("aria-busy");
      delete form.dataset.sent;
    }
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || !form.matches("form[data-in-place]") || !window.Idiomorph) return;
    if (event.submitter && event.submitter.hasAttribute("formaction")) return; // it goes elsewhere, and may lead elsewhere
    event.preventDefault();
    send(form, event.submitter);
  });
})();
