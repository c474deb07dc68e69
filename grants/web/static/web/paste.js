// Rows from a spreadsheet, pasted into any cell of a table or into the box below it. They are read here (headings in any order, Chinese figures):
// what could not be read is said by line and column, and one click takes the whole paste back.
import { read } from "./pasting.js";
import { addRows, clear } from "./rows.js";

const made = (kind, className, textContent) => Object.assign(document.createElement(kind), { className, textContent });

function written(row) {
  const controls = [...row.querySelectorAll("input, select, textarea")];
  return controls.some((c) => (c.type === "checkbox" ? c.checked : c.tagName === "SELECT" ? c.selectedIndex > 0 : c.value.trim() && !c.name.endsWith("-quantity")));
}

class Pasting {
  constructor(place) {
    this.place = place;
    this.box = place.closest("[data-answer]");
    this.area = place.querySelector("textarea");
    this.how = JSON.parse(place.dataset.paste);
    this.report = this.box.querySelector("[data-paste-report]");
    this.body = this.box.querySelector("table[data-rows] tbody");
    this.body.addEventListener("paste", (event) => this.pasted(event));
    this.box.addEventListener("input", (event) => event.isTrusted && event.target !== this.area && this.undo?.remove()); // taking back would take that too
    place.querySelector("button").addEventListener("click", (event) => {
      event.preventDefault();
      this.take(this.area.value);
      this.area.value = "";
    });
  }

  pasted(event) {
    const text = event.clipboardData.getData("text/plain");
    if (!/[\t\n]/.test(text.trim())) return;
    event.preventDefault();
    this.take(text);
  }

  take(text) {
    const { rows, unread } = read(text, this.how);
    const before = new Map(this.controls().map((control) => [control, [control.value, control.checked]]));
    this.fill(rows);
    this.tell(this.place.dataset.filled.replace("{n}", rows.length), unread);
    this.undo = made("button", "govuk-button govuk-button--secondary", this.place.dataset.undo);
    this.undo.type = "button";
    this.undo.addEventListener("click", () => this.back(before));
    if (rows.length) this.report.firstChild.append(this.undo);
  }

  controls() {
    return [...this.body.querySelectorAll("input, select, textarea")];
  }

  fill(rows) {
    let start = [...this.body.rows].reduce((last, row, i) => (written(row) ? i + 1 : last), 0);
    if (start + rows.length > this.body.rows.length) addRows(this.box, start + rows.length - this.body.rows.length);
    for (const cells of rows) {
      for (const [name, value] of Object.entries(cells)) {
        const control = this.body.rows[start].querySelector(`[name$="-${start}-${name}"]`);
        if (control?.type === "checkbox") control.checked = value === "on";
        else if (control) control.value = value;
      }
      start += 1;
    }
    this.changed();
  }

  // As it was before the paste; rows that were added for it stay, blank.
  back(before) {
    [...this.body.rows].filter((row) => !before.has(row.querySelector("input, select, textarea"))).forEach(clear);
    before.forEach(([value, checked], control) => (control.type === "checkbox" ? Object.assign(control, { checked }) : Object.assign(control, { value })));
    this.tell(this.place.dataset.undone, []);
    this.changed();
  }

  changed() {
    this.box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  tell(first, unread) {
    const inset = made("div", "govuk-inset-text", "");
    const list = made("ul", "govuk-list govuk-list--bullet", "");
    list.append(...unread.map((sentence) => made("li", "", sentence)));
    inset.append(made("p", "govuk-body", first), ...(unread.length ? [list] : []));
    this.report.replaceChildren(inset);
  }
}

document.querySelectorAll("[data-paste]").forEach((place) => new Pasting(place));
