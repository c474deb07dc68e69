// 预算审核 in the browser: bidding/budget.py and the call's own expressions (grants/calls/rulebook/expressions.py), word for word, for a bid that
// nobody else may read yet. Both are held to tests/vectors/budget.json. Amounts are fen in BigInt, expressions Decimal; no float anywhere.
import { compare, decimal, isWhole, minus, over, plus, times, twoPlaces, whole } from "../web/decimal.js";
import { part, product, yuan } from "../web/money.js";

const say = (sentence, figures) => sentence.replace(/%\((\w+)\)[sd]/g, (_all, name) => figures[name]);
const inFen = (text) => (text === null ? null : BigInt(text));

class Undefined extends Error {}

// --- the call's own expressions ------------------------------------------------------------------------------------------------
const COMPARE = { "<=": (c) => c <= 0, ">=": (c) => c >= 0, "==": (c) => c === 0, "!=": (c) => c !== 0, "<": (c) => c < 0, ">": (c) => c > 0 };
const RECKON = { "+": plus, "-": minus, "*": times, "/": over };

// A term is {number, text} | {name} | {sign, left, right} | {call, of}; a rule {terms, signs} | {word, parts}: see bidding/sealed_budget.py.
class Expression {
  constructor(values, words) {
    Object.assign(this, { values, words });
  }

  value(term) {
    if (term.number) return decimal(term.number);
    if (term.name) return this.named(term.name);
    if (term.call) return this.most(term.call === "max" ? 1 : -1, term.of.map((each) => this.value(each)));
    const [left, right] = [this.value(term.left), this.value(term.right)];
    if (term.sign === "/" && right.n === 0n) throw new Undefined(this.words.zero);
    return RECKON[term.sign](left, right);
  }

  named(name) {
    if (!Object.hasOwn(this.values, name)) throw new Undefined(say(this.words.unknown, { name }));
    return this.values[name];
  }

  most(side, values) {
    return values.reduce((found, value) => (compare(value, found) === side ? value : found));
  }

  source(term) {
    if (term.number) return term.text;
    if (term.name) return term.name;
    return term.call ? `${term.call}(${term.of.map((each) => this.source(each)).join(", ")})` : `${this.source(term.left)} ${term.sign} ${this.source(term.right)}`;
  }

  shown(term, value) {
    return term.number ? term.text : `${this.source(term)}(${isWhole(value) ? whole(value) : twoPlaces(value)})`;
  }

  // {holds, because: [comparison with its two values, …]}.
  judge(rule) {
    if (rule.terms) return this.chain(rule);
    const verdicts = rule.parts.map((each) => this.judge(each));
    if (rule.word === "not") return { holds: !verdicts[0].holds, because: verdicts[0].because };
    const holds = rule.word === "and" ? verdicts.every((v) => v.holds) : verdicts.some((v) => v.holds);
    return { holds, because: verdicts.filter((v) => v.holds === holds).flatMap((v) => v.because) };
  }

  chain({ terms, signs }) {
    const values = terms.map((term) => this.value(term));
    const steps = signs.map((sign, i) => [COMPARE[sign](compare(values[i], values[i + 1])), sign, i]);
    const holds = steps.every(([held]) => held);
    const told = ([held, sign, i]) => `${this.shown(terms[i], values[i])} ${sign} ${this.shown(terms[i + 1], values[i + 1])} ${held ? this.words.held : this.words.broken}`;
    return { holds, because: steps.filter(([held]) => held === holds).map(told) };
  }

  told(rule) {
    try {
      const { holds, because } = this.judge(rule);
      return { holds, because: because.join(";") };
    } catch (wrong) {
      if (wrong instanceof Undefined) return { holds: false, because: wrong.message };
      throw wrong;
    }
  }
}

// --- rows and caps -------------------------------------------------------------------------------------------------------------
export function amountOf({ price, quantity }) {
  return price === null || quantity === null ? 0n : product(price, quantity);
}

function sumsOf(lines) {
  const sums = { __proto__: null, grant: 0n, match_cash: 0n, match_in_kind: 0n, byCategory: new Map() };
  for (const line of lines) {
    sums[line.source] += amountOf(line);
    if (line.source === "grant") sums.byCategory.set(line.category, (sums.byCategory.get(line.category) ?? 0n) + amountOf(line));
  }
  sums.match = sums.match_cash + sums.match_in_kind;
  sums.project = sums.grant + sums.match;
  return sums;
}

class Judge {
  constructor(lines, rules, cap) {
    Object.assign(this, { lines, rules, cap, sums: sumsOf(lines), found: [] });
  }

  tell(rule, figures = {}, row = null) {
    const numbered = row === null ? figures : { row: row + 1, ...figures };
    this.found.push({ row, rule, sentence: this.rules.sentences[rule].map((sentence) => say(sentence, numbered)).join("") });
  }

  over(rule, amount, limit, figures = {}) {
    if (limit !== null && amount > limit) this.tell(rule, { amount: yuan(amount), limit: yuan(limit), over: yuan(amount - limit), ...figures });
  }

  row(line) {
    const figures = [["unit_price", line.price], ["quantity", line.quantity], ["amount", amountOf(line)]];
    for (const [field, value] of figures) if (value <= 0n) this.tell("not_positive", { field: this.rules.fields[field], value: twoPlaces({ n: value, e: -2 }) }, line.at);
    this.category(line);
    if (!line.name.trim()) this.tell("no_name", {}, line.at);
  }

  category(line) {
    const known = this.rules.categories.find(({ code }) => code === line.category);
    const choices = () => this.rules.categories.filter(({ banned }) => !banned).map(({ name }) => name).join("、");
    if (!known) this.tell("unknown_category", { category: line.category, choices: choices() }, line.at);
    if (!known || line.source !== "grant") return;
    if (known.banned) return this.tell("banned_category", { name: line.name, category: known.name }, line.at);
    for (const item of this.rules.bannedItems) if (line.name.includes(item)) this.tell("banned_item", { name: line.name, item }, line.at);
  }

  size() {
    if (this.sums.grant <= 0n) this.tell("empty");
    const limit = this.rules.maxLines;
    if (limit !== null && this.lines.length > limit) this.tell("too_many_lines", { rows: this.lines.length, limit });
  }

  categories() {
    const { grant, byCategory } = this.sums;
    for (const { code, name, banned, share, amount } of this.rules.categories) {
      const now = byCategory.get(code) ?? 0n;
      if (!banned && share) this.over("category_share", now, part(grant, share.exact, false), { category: name, share: share.text, grant: yuan(grant) });
      if (!banned) this.over("category_amount", now, inFen(amount), { category: name });
    }
  }

  amounts() {
    const { grant, match, match_in_kind: inKind, project } = this.sums;
    const { floor, capShare, matchShare, inKindShare } = this.rules;
    this.over("cap", grant, this.cap);
    if (floor !== null && grant > 0n && grant < inFen(floor)) this.tell("floor", { amount: yuan(grant), limit: yuan(inFen(floor)) });
    if (capShare) this.over("cap_share", grant, part(project, capShare.exact, false), { project: yuan(project), share: capShare.text });
    if (matchShare) this.atLeast(match, part(project, matchShare.exact, true), { project: yuan(project), share: matchShare.text });
    if (inKindShare) this.over("in_kind_share", inKind, part(match, inKindShare.exact, false), { match: yuan(match), share: inKindShare.text });
  }

  atLeast(amount, least, figures) {
    if (amount < least) this.tell("match_share", { amount: yuan(amount), limit: yuan(least), short: yuan(least - amount), ...figures });
  }

  // Names that the call's own rules may use: each category's grant money and the totals, in 元.
  combined() {
    if (!this.lines.length) return;
    const { grant, match, match_in_kind: in_kind, project, byCategory } = this.sums;
    const sums = { ...Object.fromEntries(this.rules.categories.map(({ code }) => [code, byCategory.get(code) ?? 0n])), grant, match, in_kind, project };
    const expression = new Expression(Object.fromEntries(Object.entries(sums).map(([name, fen]) => [name, { n: fen, e: -2 }])), this.rules.words);
    for (const { rule, message } of this.rules.rules) {
      const { holds, because } = expression.told(rule);
      if (!holds) this.found.push({ row: null, rule: "combined", sentence: say(this.rules.combined, { message, because }) });
    }
  }
}

// lines: [{at: row on the page, category, name, price, quantity: hundredths or null, source, unread: already told, judge no further}, …];
// rules: of bidding/sealed_budget.py; cap: fen, the lowest that goes with what was chosen. → [{row, rule, sentence}, …], rows first.
export function judgeBudget(lines, rules, cap) {
  const judge = new Judge(lines, rules, cap);
  lines.filter(({ unread }) => !unread).forEach((line) => judge.row(line));
  judge.size();
  judge.categories();
  judge.amounts();
  judge.combined();
  return judge.found;
}

// chosen: codes of the category, track and need; the lowest cap counts.
export function lowestCap(rules, chosen) {
  const caps = Object.entries(rules.caps).map(([name, of]) => of[chosen(name)]).filter(Boolean);
  return [rules.cap, ...caps].map(BigInt).reduce((least, cap) => (cap < least ? cap : least));
}
