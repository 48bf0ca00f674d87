/* Keys: what the sheet (?) lists, and nothing else. They never act while someone types; all they do, a mouse can do. */
(() => {
  "use strict";
  const PLACES = { q: "/tickets/", w: "/notes/worklist/", i: "/integrations/", m: "/monitoring/", k: "/knowledge/", r: "/reports/" };
  const SEQUENCE_MS = 1500;
  let going = 0;

  const one = (selector, within) => (within || document).querySelector(selector);
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const selected = () => rows().findIndex((row) => row.classList.contains("sel"));
  const press = (selector, within) => { const found = one(selector, within); if (found) found.click(); };

  const select = (index) => {
    const all = rows();
    if (!all.length) return;
    const at = Math.max(0, Math.min(index, all.length - 1));
    all.forEach((row, i) => row.classList.toggle("sel", i === at));
    one("a[data-open]", all[at]).focus({ preventScroll: true });
    all[at].scrollIntoView({ block: "nearest" });
  };

  // A field in a folded part is opened first, so that what has the focus can be seen.
  const into = (selector) => {
    const field = one(selector);
    if (!field) return;
    for (let fold = field.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    field.focus();
    field.scrollIntoView({ block: "center" });
  };

  const help = () => {
    const sheet = document.getElementById("keys");
    if (sheet && !sheet.open) sheet.showModal();
  };

  const menu = () => {
    const found = one("header.top > details.menu");
    if (!found) return;
    found.open = true;
    one("a, button", one(".menu-panel", found)).focus();
  };

  const pick = (row) => { const box = row && one("input[data-pick]", row); if (box) box.click(); return box; };

  const assignRow = (row) => {
    const box = row && one("input[data-pick]", row);
    const act = one("#act");
    if (!act) return;
    if (box && !box.checked && !one("input[data-pick]:checked")) box.click();
    act.value = "assign";
    act.focus();
  };

  const waiting = () => {
    const state = one("#work #state");
    if (!state) return;
    if (one('option[value="waiting"]', state)) state.value = "waiting";
    into("#work #waiting_for");
  };

  const everywhere = (row) => ({
    j: () => select(selected() + 1),
    k: () => select(selected() - 1),
    x: () => pick(row),
    e: () => assignRow(row),
    t: () => press("button[data-take]", row || document),
    r: () => press('.head form[action$="/run/"] button'),
    c: () => into("#comment"),
    a: () => into("#work #owner"),
    w: waiting,
    s: () => into("#work #severity"),
    n: () => press('a[rel="next"]'),
    p: () => press('a[rel="prev"]'),
    u: () => press("button[data-undo]"),
    g: () => { going = Date.now(); },
    ".": menu,
    "/": () => into("#find"),
    "?": help,
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
    const at = event.target;
    const typing = at.isContentEditable || at.closest("textarea, select, input:not([type=checkbox], [type=radio], [type=submit])");
    if (event.key === "Escape") {
      document.querySelectorAll("details.menu[open]").forEach((open) => { open.open = false; });
      if (typing) at.blur();
      return;
    }
    if (typing) return;
    const place = Date.now() - going < SEQUENCE_MS && PLACES[event.key];
    going = 0;
    if (place) {
      event.preventDefault();
      press(`header.top nav a[href="${place}"]`);
      return;
    }
    const row = rows()[selected()];
    const act = everywhere(row)[event.key];
    if (act) {
      event.preventDefault();
      act();
    } else if (event.key === "Enter" && row && at === document.body) {
      press("a[data-open]", row);
    }
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-show-keys]")) help();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("select[data-go]")) event.target.form.requestSubmit();
  });
})();
