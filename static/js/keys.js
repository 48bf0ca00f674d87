/* Keys: j and k move, Enter opens, t takes, / finds, ? shows this list. They never act while someone types. */
(() => {
  "use strict";
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const selected = () => rows().findIndex((row) => row.classList.contains("sel"));

  const select = (index) => {
    const all = rows();
    if (!all.length) return;
    const at = Math.max(0, Math.min(index, all.length - 1));
    all.forEach((row, i) => row.classList.toggle("sel", i === at));
    const link = all[at].querySelector("a[data-open]");
    link.focus({ preventScroll: true });
    all[at].scrollIntoView({ block: "nearest" });
  };

  const help = () => {
    const sheet = document.getElementById("keys");
    if (sheet && !sheet.open) sheet.showModal();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const typing = event.target.closest("input, textarea, select");
    if (typing) {
      if (event.key === "Escape") typing.blur();
      return;
    }
    const row = rows()[selected()];
    const act = {
      j: () => select(selected() + 1),
      k: () => select(selected() - 1),
      t: () => { const button = (row || document).querySelector("button[data-take]"); if (button) button.click(); },
      "/": () => { const box = document.getElementById("find"); if (box) box.focus(); },
      "?": help,
    }[event.key];
    if (act) {
      event.preventDefault();
      act();
    } else if (event.key === "Enter" && row && event.target === document.body) {
      row.querySelector("a[data-open]").click();
    }
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-show-keys]")) help();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("select[data-go]")) event.target.form.requestSubmit();
  });
})();
