// Under every text box with data-words: how many 字 are written, and how many are left where the call sets a limit (data-words="500").
// It only tells: nothing that is pasted is ever cut off.
import { countWords } from "./words.js";

const sentences = document.querySelector("template[data-sentences]")?.dataset;

function tell(box, line) {
  const n = countWords(box.value);
  const limit = Number(box.dataset.words);
  const left = limit - n;
  const what = !limit ? sentences.words : left < 0 ? sentences.over : sentences.left;
  line.textContent = what.replace("{n}", n).replace("{left}", left).replace("{over}", -left);
  line.classList.toggle("gc-words--over", Boolean(limit) && left < 0);
}

function begin(box) {
  const line = document.createElement("p");
  line.className = "govuk-hint gc-words";
  line.id = `${box.id}_count`;
  box.after(line);
  box.setAttribute("aria-describedby", [box.getAttribute("aria-describedby"), line.id].filter(Boolean).join(" "));
  const again = () => tell(box, line);
  box.addEventListener("input", again);
  box.form.addEventListener("answer:filled", again);
  again();
}

if (sentences) document.querySelectorAll("textarea[data-words], input[data-words]:not(td *):not([data-words=''])").forEach(begin);
