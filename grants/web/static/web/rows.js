// Tables to type in: rows are added and moved without going to the server. A table (data-rows) names the input that counts its rows.
// Names are "<table>-<row>-<column>"; without this file the same buttons ask the server.

const PLACE = /^((?:id_)?.+?)-(\d+)-(.+)$/;
const ATTRIBUTES = ["name", "id", "for"];

export function countOf(box) {
  const table = box.querySelector("table[data-rows]");
  return table && box.querySelector(`input[name="${CSS.escape(table.dataset.rows)}"]`);
}

function renumber(row, place) {
  row.cells[0].textContent = String(place + 1);
  row.querySelectorAll("*").forEach((element) => {
    ATTRIBUTES.forEach((attribute) => {
      const now = element.getAttribute(attribute);
      if (now && PLACE.test(now)) element.setAttribute(attribute, now.replace(PLACE, `$1-${place}-$3`));
    });
    if (element.hasAttribute("data-move")) element.value = String(place);
    const label = element.getAttribute("aria-label");
    if (label) element.setAttribute("aria-label", label.replace(/\d+/, String(place + 1)));
    if (element.matches("label .govuk-visually-hidden")) element.textContent = element.textContent.replace(/\d+/, String(place + 1));
  });
}

// A row without content and without what was said about it.
export function clear(row) {
  row.querySelectorAll("[data-problem], .govuk-error-message").forEach((line) => line.remove());
  row.querySelectorAll("input, select, textarea").forEach((control) => {
    if (["checkbox", "radio"].includes(control.type)) control.checked = false;
    else control.value = control.tagName === "SELECT" ? (control.options[0]?.value ?? "") : control.name.endsWith("-quantity") ? "1" : "";
  });
}

export function addRows(box, n) {
  const body = box.querySelector("table[data-rows] tbody");
  for (let i = 0; i < n; i += 1) {
    const row = body.rows[body.rows.length - 1].cloneNode(true);
    renumber(row, body.rows.length);
    clear(row);
    body.append(row);
  }
  const count = countOf(box);
  count.value = String(body.rows.length);
}

// As many rows as content for the table needs.
export function fitRows(box, pairs) {
  const count = countOf(box);
  const wanted = count && pairs.find(([name]) => name === count.name);
  const there = box.querySelector("table[data-rows] tbody")?.rows.length ?? 0;
  if (wanted && Number(wanted[1]) > there) addRows(box, Number(wanted[1]) - there);
  if (wanted) wanted[1] = String(Math.max(Number(wanted[1]), there));
}

function swap(one, other) {
  const [mine, theirs] = [one, other].map((row) => [...row.querySelectorAll("input, select, textarea")]);
  mine.forEach((control, i) => {
    [control.value, theirs[i].value] = [theirs[i].value, control.value];
    [control.checked, theirs[i].checked] = [theirs[i].checked, control.checked];
  });
}

function changed(box) {
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("click", (event) => {
  const add = event.target.closest("[data-add-rows]");
  const move = event.target.closest("[data-move]");
  const box = (add ?? move)?.closest("[data-answer]") ?? (add ?? move)?.closest("form")?.querySelector('[data-answer="rows"]');
  if (!box) return;
  event.preventDefault();
  if (add) {
    addRows(box, 3);
    changed(box);
    return;
  }
  const row = move.closest("tr");
  const other = move.dataset.move === "1" ? row.nextElementSibling : row.previousElementSibling;
  if (!other) return;
  swap(row, other);
  other.querySelector(`[data-move="${move.dataset.move}"]`).focus();
  changed(box);
});
