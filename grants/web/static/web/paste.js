// Rows from a spreadsheet, pasted into any cell of a table or into the box below it. The server reads them (headings in any order,
// Chinese figures) and says what it could not read; the page saves itself afterwards.
import { addRows } from "./rows.js";

const place = document.querySelector("[data-paste]");
const box = place?.closest("[data-answer]");
const area = place?.querySelector("textarea");

function written(row) {
  const controls = [...row.querySelectorAll("input, select, textarea")];
  return controls.some((c) => (c.type === "checkbox" ? c.checked : c.tagName === "SELECT" ? c.selectedIndex > 0 : c.value.trim() && !c.name.endsWith("-quantity")));
}

function fill(rows) {
  const body = box.querySelector("table[data-rows] tbody");
  let start = [...body.rows].reduce((last, row, i) => (written(row) ? i + 1 : last), 0);
  if (start + rows.length > body.rows.length) addRows(box, start + rows.length - body.rows.length);
  rows.forEach((cells) => {
    Object.entries(cells).forEach(([name, value]) => {
      const control = body.rows[start].querySelector(`[name$="-${start}-${name}"]`);
      if (control?.type === "checkbox") control.checked = value === "on";
      else if (control) control.value = value;
    });
    start += 1;
  });
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

function report([first, ...unread]) {
  const made = (kind, className, text) => Object.assign(document.createElement(kind), { className, textContent: text });
  const inset = made("div", "govuk-inset-text", "");
  const list = made("ul", "govuk-list govuk-list--bullet", "");
  list.append(...unread.map((sentence) => made("li", "", sentence)));
  inset.append(made("p", "govuk-body", first), ...(unread.length ? [list] : []));
  document.querySelector("[data-paste-report]").replaceChildren(inset);
}

async function paste(text) {
  try {
    const token = place.closest("form").elements.csrfmiddlewaretoken.value;
    const reply = await fetch(place.dataset.paste, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token },
      body: JSON.stringify({ text }),
    });
    const said = await reply.json();
    if (!said.rows) throw new Error(said.sentence);
    fill(said.rows);
    area.value = "";
    report([place.dataset.filled.replace("{n}", said.rows.length), ...said.unread]);
  } catch {
    area.value = text;
    place.open = true;
    report([place.dataset.failed]);
  }
}

if (place) {
  box.querySelector("table[data-rows]").addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text/plain");
    if (!/[\t\n]/.test(text.trim())) return;
    event.preventDefault();
    paste(text);
  });
  place.querySelector("button[name=paste]").addEventListener("click", (event) => {
    event.preventDefault();
    paste(area.value);
  });
}
