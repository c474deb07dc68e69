// A table copied from a spreadsheet, read into the columns of a page: what bidding/pasting.py does for browsers without scripts, word for word
// (both are held to tests/vectors/pasting.json). Pure: text and columns in, rows and sentences out.
import { compare, decimal, times, twoPlaces } from "./decimal.js";

const say = (sentence, figures) => sentence.replace(/%\((\w+)\)[sd]/g, (_all, name) => figures[name]);
const plain = (text) => text.normalize("NFKC").replace(/[\s*:()]|元$/g, "").toLowerCase();

// ￥１，２００．５０元 → 1200.50; null for what is no number.
function number(text) {
  const tidy = text.normalize("NFKC").replace(/[\s,、¥元]/g, "");
  return /^-?[0-9]+(\.[0-9]*)?$/.test(tidy) ? decimal(tidy.replace(/\.$/, "")) : null;
}

// Tab-separated, cells with line breaks or tabs in quotes, a quote in them doubled.
function cellsOf(text) {
  const rows = [[""]];
  let quoted = false;
  const all = text.replace(/\r\n?/g, "\n").replaceAll("\0", "");
  const add = (letter) => rows.at(-1).push(rows.at(-1).pop() + letter);
  for (let at = 0; at < all.length; at += 1) {
    const letter = all[at];
    if (quoted && letter === '"' && all[at + 1] === '"') add(all[(at += 1)]);
    else if (quoted && letter === '"') quoted = false;
    else if (quoted) add(letter);
    else if (letter === '"' && rows.at(-1).at(-1) === "") quoted = true;
    else if (letter === "\t") rows.at(-1).push("");
    else if (letter === "\n") rows.push([""]);
    else add(letter);
  }
  return rows.map((row) => row.map((cell) => cell.trim()));
}

class Reading {
  // how: {columns: [{code, names, choices: [[said, code]], number, tick}], stated: the column of a sheet's own products or null, words, sentences}.
  constructor(how) {
    const { columns, stated, words, sentences } = how;
    Object.assign(this, { columns, stated, words, sentences, rows: [], unread: [] });
  }

  tell(rule, figures) {
    this.unread.push(say(this.sentences[rule], figures));
  }

  // Place → column, when the first line is a heading: two of its cells, or its only one, are names of columns.
  heads(cells) {
    const names = new Map([...this.columns, ...(this.stated ? [this.stated] : [])].flatMap((column) => column.names.map((name) => [plain(name), column])));
    const found = new Map(cells.map((cell, i) => [i, names.get(plain(cell))]).filter(([, column]) => column));
    return found.size >= Math.min(2, cells.filter(Boolean).length) ? found : new Map();
  }

  unused(cells, heads) {
    const unused = cells.filter((cell, i) => cell && !heads.has(i) && !this.words.places.includes(plain(cell)));
    if (unused.length) this.tell("heads", { heads: unused.join("、") });
  }

  // [text for the control, what is wrong].
  cell(cell, column) {
    if (column.tick) return [this.words.ticked.includes(plain(cell)) ? "on" : "", ""];
    if (column.choices.length && cell) {
      const code = new Map(column.choices.map(([said, known]) => [plain(said), known])).get(plain(cell)) ?? "";
      return [code, code ? "" : "choice"];
    }
    if (column.number && cell) return [cell, number(cell) ? "" : "number"];
    return [cell.replaceAll("\n", " "), ""];
  }

  row(line, cells, heads) {
    const row = { __proto__: null };
    for (const [i, column] of heads) {
      const [value, wrong] = this.cell(cells[i] ?? "", column);
      row[column.code] = value;
      if (wrong) this.tell(wrong, { line, column: column.names[0], value: cells[i] });
    }
    return this.stated ? this.priced(line, row) : row;
  }

  // The sheet's own amount stands in for a price that it lacks, and is compared with one that it has.
  priced(line, { [this.stated.code]: stated = "", ...row }) {
    const amount = number(stated);
    const [price, quantity] = [number(row.unit_price ?? ""), number(row.quantity || "1")];
    if (!amount) return row;
    if (!row.unit_price) return { ...row, unit_price: stated, quantity: "1" };
    if (price && quantity && compare(times(price, quantity), amount))
      this.tell("amount", { line, amount: twoPlaces(amount, true), product: twoPlaces(times(price, quantity), true) });
    return row;
  }

  read(text) {
    const lines = cellsOf(text).map((cells, i) => [i + 1, cells]).filter(([, cells]) => cells.some(Boolean));
    const found = lines.length ? this.heads(lines[0][1]) : new Map();
    if (found.size) this.unused(lines[0][1], found);
    const heads = found.size ? found : new Map(this.columns.entries());
    for (const [line, cells] of found.size ? lines.slice(1) : lines) {
      if (cells.some((cell) => this.words.sums.includes(plain(cell)))) this.tell("sum", { line });
      else this.rows.push(this.row(line, cells, heads));
    }
    if (!this.rows.length) this.tell("empty", {});
    if (this.rows.length > this.words.most) this.tell("most", { most: this.words.most });
    return { rows: this.rows.slice(0, this.words.most), unread: this.unread };
  }
}

// {rows: [{column: text}, …], unread: [sentence, …]}.
export function read(text, how) {
  return new Reading(how).read(text);
}
