// "Add another" of a formset without asking the server: the template's __prefix__ becomes the next number, the focus goes to the new first field.
for (const group of document.querySelectorAll("[data-another]")) {
  const total = group.querySelector(`[name="${group.dataset.another}-TOTAL_FORMS"]`);
  const most = Number(group.querySelector(`[name="${group.dataset.another}-MAX_NUM_FORMS"]`)?.value ?? 1000);
  group.querySelector("button[name=add]").addEventListener("click", (event) => {
    const at = Number(total.value);
    if (at >= most) return; // the server says why
    event.preventDefault();
    const rows = group.querySelector("[data-rows]");
    const row = group.querySelector("template").content.cloneNode(true);
    for (const part of row.querySelectorAll("[id], [name], [for], [aria-describedby]")) {
      for (const name of ["id", "name", "for", "aria-describedby"]) {
        if (part.hasAttribute(name)) part.setAttribute(name, part.getAttribute(name).replaceAll("__prefix__", at));
      }
    }
    row.querySelector("[data-number]").textContent = at + 1;
    rows.append(row);
    total.value = at + 1;
    rows.lastElementChild.querySelector("input:not([type=hidden]), select, textarea")?.focus();
  });
}
