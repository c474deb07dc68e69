// 抽取复算: repeats a draw from its published file, with nothing but the browser's SHA-256. The same steps, names and places as
// review/transcript.py, held together by the vectors in draw-vectors.json. Format: docs/review-commands.md, section draw.

const FORMAT = "gongchuang-draw-1";
const METHOD = "GY-DRAW-1";
const QUICKNET = [1692803367, 3];
const utf8 = new TextEncoder();

export class Malformed extends Error {
  constructor(path, why) {
    super(path ? `${path}: ${why}` : why);
    this.path = path;
    this.why = why;
  }
}

class Broken extends Error {
  constructor(where, said) {
    super(said);
    this.where = where;
  }
}

// --- bytes -----------------------------------------------------------------------------------------------------------------

const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");

function joined(...pieces) {
  const whole = new Uint8Array(pieces.reduce((n, piece) => n + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function eight(number) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number));
  return bytes;
}

async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** RFC 8785 for text, integers, true, false, null, lists and objects: names in the order of UTF-16 units, which is JavaScript's own. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

export const hashOf = async (value) => hex(await sha256(utf8.encode(canonical(value))));

// --- generator, shuffle, seats ---------------------------------------------------------------------------------------------

export async function seedFrom(parts) {
  const told = parts.flatMap((part) => [eight(part.length), part]);
  return sha256(joined(utf8.encode(METHOD), new Uint8Array(1), ...told));
}

export class Counting {
  constructor(seed) {
    this.seed = seed;
    this.next = 0;
  }

  async word() {
    const digest = await sha256(joined(this.seed, eight(this.next)));
    this.next += 1;
    return new DataView(digest.buffer).getBigUint64(0);
  }

  async below(limit) {
    const ways = 1n << 64n;
    const ceiling = ways - (ways % BigInt(limit));
    let word = await this.word();
    while (word >= ceiling) word = await this.word();
    return Number(word % BigInt(limit));
  }
}

/** By code point, as Python sorts text; JavaScript's own order is by UTF-16 unit. */
function byCodePoint(left, right) {
  const a = Array.from(left, (c) => c.codePointAt(0));
  const b = Array.from(right, (c) => c.codePointAt(0));
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

export async function shuffled(items, seed) {
  const order = [...items].sort(byCodePoint);
  const source = new Counting(seed);
  for (let last = order.length - 1; last > 0; last -= 1) {
    const lot = await source.below(last + 1);
    [order[last], order[lot]] = [order[lot], order[last]];
  }
  return order;
}

const own = (map, name) => (Object.hasOwn(map, name) ? map[name] : undefined);
const most = (rule, seat) => Math.min(own(rule.maximum, seat) ?? rule.size, rule.size);

function impossible(free, rule) {
  const available = new Map();
  for (const [, seat] of free) available.set(seat, (available.get(seat) ?? 0) + 1);
  const needed = Object.values(rule.minimum).reduce((n, least) => n + least, 0);
  if (needed > rule.size) return `各类席位的最低人数合计 ${needed} 人，超过 ${rule.size} 人。`;
  for (const [seat, least] of Object.entries(rule.minimum)) {
    const there = Math.min(available.get(seat) ?? 0, most(rule, seat));
    if (there < least) return `“${seat}”席位至少需要 ${least} 人，可抽取的只有 ${there} 人。`;
  }
  if (free.length < rule.size) return `需要 ${rule.size} 人，可抽取的只有 ${free.length} 人。`;
  const room = [...available].reduce((n, [seat, count]) => n + Math.min(count, most(rule, seat)), 0);
  return room < rule.size ? `按席位上限最多只能坐满 ${room} 人，少于 ${rule.size} 人。` : "";
}

function skipOf(code, seat, taken, seated, announced) {
  const { barred, rule } = announced;
  if (Object.hasOwn(barred, code)) return { code, rule: "conflicted", alternate: false };
  const held = taken.get(seat) ?? 0;
  if (held >= most(rule, seat)) return { code, rule: "seat_full", alternate: true };
  let missing = 0;
  for (const [name, least] of Object.entries(rule.minimum)) missing += Math.max(least - (taken.get(name) ?? 0), 0);
  if ((own(rule.minimum, seat) ?? 0) > held || rule.size - seated > missing) return null;
  return { code, rule: "seats_reserved", alternate: true };
}

/** What follows from announcement and seed: order, chosen, alternates, skipped. Throws Broken when the pool cannot fill the rule. */
export async function outcome(announced, seed) {
  const { rule, barred } = announced;
  const why = impossible(announced.pool.filter(([code]) => !Object.hasOwn(barred, code)), rule);
  if (why) throw new Broken("announced.rule", why);
  const seats = new Map(announced.pool);
  const order = await shuffled(seats.keys(), seed);
  const [chosen, waiting, skipped, taken] = [[], [], [], new Map()];
  for (const code of order) {
    const seat = seats.get(code);
    const skip = skipOf(code, seat, taken, chosen.length, announced);
    if (skip === null) {
      chosen.push(code);
      taken.set(seat, (taken.get(seat) ?? 0) + 1);
    } else {
      if (chosen.length < rule.size || !skip.alternate) skipped.push(skip);
      if (skip.alternate) waiting.push(code);
    }
  }
  return { order, chosen, skipped, alternates: waiting.slice(0, rule.alternates) };
}

// --- the steps -------------------------------------------------------------------------------------------------------------

function sameParties(d, name) {
  const { parties } = d.announced;
  parties.forEach((party, at) => {
    if (d[name][at]?.party !== party) throw new Broken(`${name}[${at}]`, `此处应为“${party}”，承诺和公开都按公布的次序排列，缺一不可。`);
  });
  if (d[name].length > parties.length) throw new Broken(`${name}[${parties.length}]`, "不在公布的承诺方之内。");
}

export function roundMoment(number) {
  const [genesis, period] = QUICKNET;
  return new Date((genesis + (number - 1) * period) * 1000).toISOString().replace(".000Z", "Z");
}

async function beaconHolds(d) {
  const [planned, fell] = [d.announced.beacon, d.beacon];
  if (d.announced.mode === "commit-reveal") {
    if (!["drand", "named"].includes(planned.kind)) throw new Broken("announced.beacon.kind", "多方抽取须事先指定一个公共随机源。");
    if (!fell.value) throw new Broken("beacon.value", "公共随机源的结果还没有填写。");
    if (!d.closed_at || planned.due <= d.closed_at) throw new Broken("closed_at", "公共随机源的时间须晚于承诺截止时间，否则承诺人可能已经知道结果。");
  }
  if (d.announced.mode === "simple" && planned.due) {
    if (!fell.value) throw new Broken("beacon.value", "公共随机源的结果还没有填写。");
    if (!d.closed_at || planned.due <= d.closed_at) throw new Broken("closed_at", "公共随机源的时间须晚于公布时间，否则公布时已经知道结果。");
  }
  if (planned.kind === "drand") {
    const moment = roundMoment(Number(planned.round));
    if (moment !== planned.due) throw new Broken("announced.beacon.due", `drand 第 ${planned.round} 轮的时间应为 ${moment}。`);
    const signature = /^([0-9a-f]{2})+$/.test(fell.evidence) ? unhex(fell.evidence) : new Uint8Array();
    if (!signature.length || hex(await sha256(signature)) !== fell.value) throw new Broken("beacon.value", "drand 的随机数须等于签名（填在依据栏）的 SHA-256。");
  }
  return fell.value ? `公共随机源“${planned.source}”${planned.round}：${fell.value}。` : "没有使用公共随机源。";
}

const shown = (item) => (typeof item === "string" ? item : item === undefined ? "（缺）" : `${item.code} ${item.rule}`);

function sameList(name, expected, found) {
  expected.forEach((wanted, at) => {
    if (canonical(found[at] ?? null) !== canonical(wanted)) throw new Broken(`${name}[${at}]`, `重算的结果是“${shown(wanted)}”，文件写的是“${shown(found[at])}”。`);
  });
  if (found.length > expected.length) throw new Broken(`${name}[${expected.length}]`, `多出一项“${shown(found[expected.length])}”。`);
}

const list = (name, said) => async (d, state) => {
  state.outcome ??= await outcome(d.announced, state.seed);
  sameList(name, state.outcome[name], d[name]);
  return said.replace("%d", state.outcome[name].length);
};

const STEPS = [
  ["announced", async (d) => {
    const computed = await hashOf(d.announced);
    if (computed !== d.announced_sha256) throw new Broken("announced_sha256", `公布内容的哈希应为 ${computed}，名单、规则或各方在公布之后改过。`);
    return `公布内容的 SHA-256 为 ${computed}。`;
  }],
  ["number", async ({ announced }) => {
    if (announced.number > 1 && !announced.reason.trim()) throw new Broken("announced.reason", "不是第一次抽取，却没有写明再抽的理由。");
    return `第 ${announced.number} 次抽取。${announced.reason ? `理由：${announced.reason}` : ""}`;
  }],
  ["parties", async ({ announced: { mode, parties, beacon } }) => {
    if (mode === "simple") {
      if (parties.length) throw new Broken("announced.parties", "简易抽取没有承诺方。");
      return `简易抽取：没有多方承诺，随机数来自台账和${["drand", "named"].includes(beacon.kind) ? "公布时指名的公共随机源" : "现场公布的数字"}。`;
    }
    if (parties.length < 3 || new Set(parties).size !== parties.length) throw new Broken("announced.parties", "多方抽取至少要有 3 个互不相同的承诺方。");
    return `共 ${parties.length} 方：${parties.join("、")}。`;
  }],
  ["commitments", async (d) => {
    sameParties(d, "commitments");
    return `${d.commitments.length} 份承诺齐全。`;
  }],
  ["reveals", async (d) => {
    sameParties(d, "reveals");
    for (const [at, reveal] of d.reveals.entries()) {
      if (hex(await sha256(unhex(reveal.value))) !== d.commitments[at].sha256) throw new Broken(`reveals[${at}].value`, `“${reveal.party}”公开的数与其承诺不符。`);
    }
    const held = d.reveals.filter((r) => r.by === "escrow").map((r) => r.party);
    return `公开的数都与承诺一致。${held.length ? `由密封副本代为公开：${held.join("、")}。` : ""}`;
  }],
  ["beacon", beaconHolds],
  ["seed", async (d, state) => {
    const parts = [unhex(await hashOf(d.announced)), unhex(d.ledger_head), ...d.reveals.map((r) => unhex(r.value)), utf8.encode(d.beacon.value)];
    state.seed = await seedFrom(parts);
    if (hex(state.seed) !== d.seed) throw new Broken("seed", `种子应为 ${hex(state.seed)}。`);
    return `种子 ${d.seed}。`;
  }],
  ["order", list("order", "抽取顺序 %d 位一致。")],
  ["skipped", list("skipped", "越过 %d 位，理由一致。")],
  ["chosen", list("chosen", "抽中 %d 位一致。")],
  ["alternates", list("alternates", "候补 %d 位一致。")],
];

/** Every step in order, ending at the first that fails: [{step, ok, where, said}]. */
export async function verify(document) {
  const [found, state] = [[], {}];
  for (const [step, ask] of STEPS) {
    try {
      found.push({ step, ok: true, where: "", said: await ask(document, state) });
    } catch (broken) {
      if (!(broken instanceof Broken)) throw broken;
      found.push({ step, ok: false, where: broken.where, said: broken.message });
      return found;
    }
  }
  return found;
}

// --- the format ------------------------------------------------------------------------------------------------------------

const below = (path, name) => (path ? `${path}.${name}` : name);
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

const wanted = (holds, what) => (value, path) => {
  if (!holds(value)) throw new Malformed(path, `应为${what}。`);
};
const text = wanted((v) => typeof v === "string" && !/\p{Surrogate}/u.test(v), "文字");
const count = wanted((v) => Number.isInteger(v) && v >= 0 && v <= 1000000, " 0 到 1000000 的整数");
const flag = wanted((v) => typeof v === "boolean", " true 或 false");
const oneOf = (...allowed) => wanted((v) => allowed.includes(v), `${allowed.join("、")} 之一`);
const like = (pattern, what) => wanted((v) => typeof v === "string" && pattern.test(v), what);
const hash = like(/^[0-9a-f]{64}$/, " 64 位小写十六进制数");
const head = like(/^([0-9a-f]{64})?$/, " 64 位小写十六进制数或空");
const when = like(/^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?$/, "形如 2026-04-03T01:00:00Z 的时间或空");

const listOf = (item) => (value, path) => {
  if (!Array.isArray(value)) throw new Malformed(path, "应为一个列表。");
  value.forEach((held, at) => item(held, `${path}[${at}]`));
};
const mapOf = (item) => (value, path) => {
  if (!isObject(value)) throw new Malformed(path, "应为一个对象。");
  for (const [name, held] of Object.entries(value)) item(held, below(path, name));
};
const object = (fields) => (value, path) => {
  if (!isObject(value)) throw new Malformed(path, "应为一个对象。");
  for (const name of Object.keys(fields).sort()) if (!Object.hasOwn(value, name)) throw new Malformed(below(path, name), "缺少这一项。");
  for (const [name, held] of Object.entries(value)) {
    if (!Object.hasOwn(fields, name)) throw new Malformed(below(path, name), "没有这样的项目。");
    fields[name](held, below(path, name));
  }
};
const pair = (value, path) => {
  listOf(text)(value, path);
  if (value.length !== 2 || !value[0]) throw new Malformed(path, "应为 [代码, 席位]，代码不能为空。");
};

const whole = object({
  format: oneOf(FORMAT),
  announced: object({
    kind: oneOf("panel", "order", "sample", "tie"), subject: text, title: text, number: count, reason: text, method: oneOf(METHOD), program: text,
    mode: oneOf("simple", "commit-reveal"), pool: listOf(pair), barred: mapOf(text),
    rule: object({ size: count, minimum: mapOf(count), maximum: mapOf(count), alternates: count }), parties: listOf(text),
    beacon: object({ kind: oneOf("drand", "named", "said", "none"), source: text, round: text, due: when }),
  }),
  announced_sha256: hash, ledger_head: head, closed_at: when,
  commitments: listOf(object({ party: text, sha256: hash })),
  reveals: listOf(object({ party: text, value: hash, by: oneOf("party", "escrow") })),
  beacon: object({ value: text, evidence: text }),
  seed: hash, order: listOf(text), chosen: listOf(text), alternates: listOf(text),
  skipped: listOf(object({ code: text, rule: text, alternate: flag })),
});

/** Refuse what is not of the format: throws Malformed with the path of the first wrong place. */
export function check(value) {
  whole(value, "");
  const { pool, barred, beacon } = value.announced;
  const codes = new Set();
  pool.forEach(([code], at) => {
    if (codes.has(code)) throw new Malformed(`announced.pool[${at}][0]`, `“${code}”在名单中出现两次。`);
    codes.add(code);
  });
  for (const code of Object.keys(barred)) if (!codes.has(code)) throw new Malformed(`announced.barred.${code}`, "不在名单之中。");
  if (beacon.kind === "drand" && !/^[1-9][0-9]{0,9}$/.test(beacon.round)) throw new Malformed("announced.beacon.round", "drand 的轮次是一个正整数。");
}

/** The published vectors, every one: {asked, failed: [name …]}. */
export async function selfTest(vectors) {
  const failed = [];
  let asked = 0;
  const tell = (name, ok) => {
    asked += 1;
    if (!ok) failed.push(name);
  };
  for (const { seed, words } of vectors.words) {
    const source = new Counting(unhex(seed));
    for (const word of words) tell(`word ${word}`, (await source.word()).toString(16).padStart(16, "0") === word);
  }
  for (const { parts, seed } of vectors.seeds) tell(`seed ${seed}`, hex(await seedFrom(parts.map(unhex))) === seed);
  for (const { items, seed, order } of vectors.shuffles) tell(`shuffle ${order[0]}`, canonical(await shuffled(items, unhex(seed))) === canonical(order));
  for (const one of vectors.canonical) tell(one.canonical, canonical(one.value) === one.canonical && (await hashOf(one.value)) === one.sha256);
  for (const { name, document, ok, step, where } of vectors.transcripts) {
    const last = (await verify(document)).at(-1);
    tell(name, last.ok === ok && (ok || (last.step === step && last.where === where)));
  }
  for (const { name, document, path } of vectors.malformed) {
    try {
      check(document);
      tell(name, false);
    } catch (wrong) {
      tell(name, wrong instanceof Malformed && wrong.path === path);
    }
  }
  return { asked, failed };
}
