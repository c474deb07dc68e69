// An answer on a page: an element with data-answer, its controls, and the version it was written on (input "mark-<answer>").
// Its content is the list of [name, value] that a browser would send. Works for any form of ours; knows no stage.
import { fitRows } from "./rows.js";

const NOT_CONTENT = /^(mark-|keep-|csrfmiddlewaretoken$)/;

export class Answer {
  constructor(box) {
    this.box = box;
    this.name = box.dataset.answer;
    this.markInput = box.querySelector(`input[name="mark-${CSS.escape(this.name)}"]`);
    this.composing = false; // an input method is at work here: half a word is not to be saved
    this.choosing = Boolean(box.querySelector("[data-clash]")); // two texts wait for a choice
    this.confirmed = this.text();
  }

  get mark() {
    return this.markInput.value;
  }

  set mark(mark) {
    this.markInput.value = mark;
  }

  controls() {
    const all = [...this.box.querySelectorAll("input[name], select[name], textarea[name]")];
    return all.filter((control) => !NOT_CONTENT.test(control.name));
  }

  read() {
    const sent = this.controls().filter((c) => !["checkbox", "radio"].includes(c.type) || c.checked);
    return sent.map((control) => [control.name, control.value]);
  }

  text() {
    return JSON.stringify(this.read());
  }

  get changed() {
    return this.text() !== this.confirmed;
  }

  // Put content into the controls; rows that a table lacks are added.
  fill(pairs) {
    fitRows(this.box, pairs);
    const values = new Map();
    pairs.forEach(([name, value]) => values.set(name, [...(values.get(name) ?? []), value]));
    this.controls().forEach((control) => {
      const mine = values.get(control.name) ?? [];
      if (["checkbox", "radio"].includes(control.type)) control.checked = mine.includes(control.value);
      else if (!(control.type === "hidden" && !mine.length)) control.value = mine[0] ?? "";
    });
    this.box.dispatchEvent(new CustomEvent("answer:filled", { bubbles: true }));
  }

  // What people read of it: the chosen words, not the codes.
  words() {
    const shown = this.controls().filter((c) => c.type !== "hidden" && (!["checkbox", "radio"].includes(c.type) || c.checked));
    const said = (control) => {
      if (control.tagName === "SELECT") return control.value && control.selectedOptions[0].text;
      if (["checkbox", "radio"].includes(control.type)) return control.labels[0]?.textContent.trim() ?? "";
      return control.value;
    };
    const lines = new Map();
    shown.forEach((control) => {
      const row = control.closest("tr") ?? control;
      lines.set(row, [...(lines.get(row) ?? []), said(control)].filter(Boolean));
    });
    return [...lines.values()].map((cells) => cells.join("｜")).filter(Boolean).join("\n");
  }

  // Sentences beside the controls they are about; earlier ones go.
  tell(problems) {
    this.box.querySelectorAll("[data-problem]").forEach((old) => old.remove());
    this.controls().forEach((control) => {
      const told = problems[control.name];
      control.toggleAttribute("data-wrong", Boolean(told));
      if (!told || control.dataset.told) return;
      const line = document.createElement("p");
      line.className = "govuk-error-message";
      line.dataset.problem = "";
      line.textContent = told.join(" ");
      control.before(line);
    });
  }
}
