// What is still missing or wrong, found in the browser because nobody else may read it yet. asked: as bidding/sealed_asked.py says it.
// Sentences name what to do; each problem is {place: id of the control, sentence}. What only the server knows is judged when bids are opened.
import { judgeBudget, lowestCap } from "./budget-rules.js";
import { hundredths } from "../web/money.js";
import { countWords } from "../web/words.js";

const fill = (sentence, figures) => sentence.replace(/\{(\w+)\}/g, (_all, name) => figures[name]);

class Check {
  constructor(form, asked, sentences, files) {
    Object.assign(this, { form, asked, sentences, files, found: [] });
    this.values = new Map();
    for (const [name, text] of new FormData(form)) if (typeof text === "string" && text.trim()) this.values.set(name, [...(this.values.get(name) ?? []), text.trim()]);
  }

  tell(place, key, figures = {}) {
    this.found.push({ place, sentence: fill(this.sentences[key], figures) });
  }

  value(name) {
    return this.values.get(name)?.[0] ?? "";
  }

  placeOf(name) {
    return this.form.querySelector(`[name="${CSS.escape(name)}"]:not([type=hidden])`)?.id ?? "";
  }

  // One question or one cell. where: words before the sentence, such as "第 2 行".
  field(field, where = "") {
    const text = this.value(field.name);
    const label = `${where}${field.label}`;
    const place = this.placeOf(field.name);
    if (!text) return field.required && this.tell(place, field.chosen ? "choose" : "missing", { label });
    if (field.most) this.words(field, text, place, label);
    if (["number", "money"].includes(field.kind)) this.figure(field, text, place, label);
    if (field.kind === "date" && !/^\d{4}-\d{2}-\d{2}$/.test(text)) this.tell(place, "date", { label });
  }

  words(field, text, place, label) {
    const n = countWords(text);
    if (n > field.most) this.tell(place, "words", { label, n, most: field.most, over: n - field.most });
  }

  figure(field, text, place, label) {
    const given = hundredths(text);
    const [least, most] = [field.minimum, field.maximum].map((limit) => (limit ? hundredths(limit) : null));
    if (given === null) this.tell(place, field.kind === "money" ? "money" : "number", { label });
    else if (least !== null && given < least) this.tell(place, "least", { label, least: field.minimum });
    else if (most !== null && given > most) this.tell(place, "most", { label, most: field.maximum });
  }

  // Rows that are there: something was typed in one of `counts`.
  rows(prefix, counts) {
    const total = Number(this.value(`${prefix}-TOTAL_FORMS`) || this.value(`${prefix}-rows`));
    const there = (i) => !this.value(`${prefix}-${i}-DELETE`) && counts.some((column) => this.value(`${prefix}-${i}-${column}`));
    return Array.from({ length: total }, (_none, i) => i).filter(there);
  }

  row(i) {
    return fill(this.sentences.row, { n: i + 1 });
  }

  table(field) {
    const rows = this.rows(field.name, field.columns.map(({ code }) => code));
    const place = `id_${field.name}`;
    if (!rows.length && field.required) this.tell(place, "missing", { label: field.label });
    else if (rows.length < field.least && rows.length) this.tell(place, "rows", { label: field.label, least: field.least });
    for (const i of rows) for (const column of field.columns) this.field({ ...column, name: `${field.name}-${i}-${column.code}` }, `${field.label} ${this.row(i)}`);
  }

  budget() {
    const lines = this.rows("budget", ["category", "name", "unit_price", "note"]).map((i) => this.line(i));
    const cap = lowestCap(this.asked.budget, (name) => this.value(name));
    for (const { row, sentence } of judgeBudget(lines, this.asked.budget, cap))
      this.found.push({ place: row === null ? "budget" : this.placeOf(`budget-${row}-name`), sentence });
  }

  // A row as the arithmetic reads it; what is blank or no figure is told here.
  line(i) {
    const [before, cell] = [this.found.length, (column) => `budget-${i}-${column}`];
    this.field({ name: cell("category"), label: this.asked.columns.category, required: true, chosen: true }, this.row(i));
    this.field({ name: cell("name"), label: this.asked.columns.name, required: true }, this.row(i));
    for (const [column, kind, maximum] of [["unit_price", "money", "999999999.99"], ["quantity", "number", "99999999.99"]])
      this.field({ name: cell(column), label: this.asked.columns[column], kind, required: true, maximum }, this.row(i));
    const [category, name, source] = ["category", "name", "source"].map((column) => this.value(cell(column)));
    const [price, quantity] = ["unit_price", "quantity"].map((column) => hundredths(this.value(cell(column))));
    return { at: i, category, name, source, price, quantity, unread: this.found.length > before };
  }

  kpis() {
    const rows = this.rows("kpis", ["kind", "name", "target", "group"]);
    const byCode = new Map();
    for (const i of rows) {
      const [code, target] = ["code", "target"].map((column) => this.value(`kpis-${i}-${column}`));
      const place = this.placeOf(`kpis-${i}-target`);
      if (!target || hundredths(target) === null) this.tell(place, "number", { label: `${this.row(i)}${this.asked.columns.target}` });
      else if (code) byCode.set(code, (byCode.get(code) ?? 0n) + hundredths(target));
      if (!code && !this.value(`kpis-${i}-kind`)) this.tell(this.placeOf(`kpis-${i}-kind`), "choose", { label: `${this.row(i)}${this.asked.columns.kind}` });
    }
    for (const kpi of this.asked.kpis) this.kpi(kpi, kpi.field ? hundredths(this.value(kpi.field)) : (byCode.get(kpi.code) ?? null));
    const served = rows.some((i) => this.value(`kpis-${i}-group`) && (hundredths(this.value(`kpis-${i}-target`)) ?? 0n) > 0n);
    if (this.asked.beneficiaries && !served) this.tell("kpis", "served");
  }

  kpi(kpi, promised) {
    const place = kpi.field ? this.placeOf(kpi.field) : "kpis";
    if (promised === null) kpi.required && !kpi.field && this.tell(place, "kpi", { label: kpi.name });
    else if (kpi.minimum && promised < hundredths(kpi.minimum)) this.tell(place, "least", { label: kpi.name, least: kpi.minimum });
  }

  team() {
    const rows = this.rows("team", ["name", "role", "qualification", "licence_no"]);
    const cell = (i, column) => this.value(`team-${i}-${column}`);
    for (const i of rows) if (!cell(i, "name")) this.tell(this.placeOf(`team-${i}-name`), "missing", { label: `${this.row(i)}${this.asked.columns.person}` });
    if (rows.length < this.asked.people) this.tell("team", "people", { least: this.asked.people });
    const wanted = this.asked.professionals;
    if (!wanted) return;
    const held = rows.filter((i) => wanted.titles.includes(cell(i, "qualification")) && cell(i, "licence_no")).length;
    if (held < wanted.least) this.tell("team", "professionals", { least: wanted.least, titles: wanted.titles.join("、"), held });
    if (rows.filter((i) => cell(i, "is_supervisor")).length < wanted.supervisors) this.tell("team", "supervisors", { least: wanted.supervisors });
  }

  papers() {
    for (const item of this.asked.papers) {
      const given = this.files.filter(({ code }) => code === item.code);
      if (item.required && !given.length) this.tell(`id_paper-${item.code}`, "paper", { label: item.name });
      const until = this.value(`paper-${item.code}-expires_on`);
      if (!item.expires || !given.length) continue;
      if (!until) this.tell(`id_paper-${item.code}-expires_on`, "until", { label: item.name });
      else if (until < this.asked.today) this.tell(`id_paper-${item.code}-expires_on`, "expired", { label: item.name, day: until });
    }
    const whole = this.files.reduce((sum, { blob }) => sum + blob.size, 0);
    if (whole > this.asked.mostBytes || this.files.length > this.asked.mostFiles)
      this.tell("attachments", "whole", { n: this.asked.mostFiles, mb: Math.floor(this.asked.mostBytes / 2 ** 20) });
  }

  declarations() {
    const left = this.asked.declarations - (this.values.get("declarations")?.length ?? 0);
    if (left > 0) this.tell("id_declarations_0", "declarations", { n: left });
  }
}

// files: [{code, name, blob}, …] chosen so far. waiting: [{label, place}, …] carried over and neither confirmed nor changed.
export function problemsOf(form, asked, sentences, files, waiting = []) {
  const check = new Check(form, asked, sentences, files);
  check.found.push(...asked.standing.map((sentence) => ({ place: "", sentence })));
  for (const field of asked.fields) field.kind === "table" ? check.table(field) : check.field(field);
  check.budget();
  check.kpis();
  check.team();
  check.papers();
  for (const { label, place } of waiting) check.tell(place, "carried", { label });
  check.declarations();
  return check.found;
}
