// The budget adds up as one types: rows, sources, categories, and every limit with the very sentence that the server uses.
import { hundredths, part, product, yuan } from "../web/money.js";

const panel = document.querySelector("[data-budget]");
const box = document.querySelector('[data-answer="rows"], [data-answer="budget"]');

function amountOf(row) {
  const value = (name) => row.querySelector(`[name$="-${name}"]`);
  if (value("DELETE").checked) return null;
  const [price, quantity] = [hundredths(value("unit_price").value), hundredths(value("quantity").value || "1")];
  return price === null || quantity === null ? null : product(price, quantity);
}

function sums() {
  const found = { __proto__: null, grant: 0n, match_cash: 0n, match_in_kind: 0n, byCategory: new Map() };
  box.querySelectorAll("table[data-rows] tbody tr").forEach((row) => {
    const amount = amountOf(row);
    row.querySelector("[data-row-amount]").textContent = amount === null ? "" : yuan(amount);
    if (amount === null) return;
    const [source, category] = ["source", "category"].map((name) => row.querySelector(`select[name$="-${name}"]`).value);
    found[source] += amount;
    if (source === "grant") found.byCategory.set(category, (found.byCategory.get(category) ?? 0n) + amount);
  });
  found.match = found.match_cash + found.match_in_kind;
  found.project = found.grant + found.match;
  return found;
}

function tellCap(line, found) {
  const { what, measure, ofCategory, amount, share, of, atLeast } = line.dataset;
  const least = atLeast !== undefined;
  const now = ofCategory ? (found.byCategory.get(ofCategory) ?? 0n) : found[measure];
  const limit = share ? part(found[of], share, least) : hundredths(amount);
  const broken = least ? now < limit : now > limit;
  const apart = yuan(now > limit ? now - limit : limit - now);
  const key = least ? (broken ? "short" : "least") : broken ? "over" : "most";
  const figures = { what, limit: yuan(limit), now: yuan(now), over: apart, left: apart, short: apart };
  line.querySelector("[data-sentence]").textContent = panel.dataset[key].replace(/\{(\w+)\}/g, (_all, name) => figures[name]);
  line.querySelector("[data-broken]").hidden = !broken;
  line.classList.toggle("gc-caps__line--broken", broken);
}

function tell() {
  const found = sums();
  panel.querySelectorAll("[data-total]").forEach((cell) => (cell.textContent = yuan(found[cell.dataset.total])));
  panel.querySelectorAll("[data-category]").forEach((cell) => (cell.textContent = yuan(found.byCategory.get(cell.dataset.category) ?? 0n)));
  panel.querySelectorAll("[data-cap]").forEach((line) => tellCap(line, found));
}

// What the server found wrong with what it has just saved: banned items, the call's own rules, rows without a purpose.
function tellProblems(told) {
  const inset = document.querySelector("[data-told]");
  inset.hidden = !told.length;
  const lines = told.map(([field, sentence]) => {
    const line = document.createElement("li");
    const link = document.createElement(field ? "a" : "span");
    link.textContent = sentence;
    if (field) Object.assign(link, { className: "govuk-link", href: `#id_${field}` });
    line.append(link);
    return line;
  });
  inset.querySelector("ul").replaceChildren(...lines);
}

["input", "change", "answer:filled"].forEach((name) => box.addEventListener(name, tell));
box.closest("form").addEventListener("autosave:saved", (event) => event.detail.told && tellProblems(event.detail.told));
tell();
