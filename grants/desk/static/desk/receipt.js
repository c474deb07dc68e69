// Checks a receipt with nothing but WebCrypto: signature (Ed25519 where the browser has it), entry, inclusion proof (SHA-256).
// The same steps as grants/ledger/offline/verify.py. No page in here: `check(text, keyLines)` answers, receipt-page.js shows.

const FORMAT = "gongchuang-receipt/1";
const PROOF = "c2sp.org/tlog-proof@v1";
const encoder = new TextEncoder();

export class Bad extends Error {
  constructor(kind) {
    super(kind);
    this.kind = kind;
  }
}

/** Canonical JSON (RFC 8785): names by UTF-16 units, which is what sort() does. Fractions are refused. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value && typeof value === "object") {
    const names = Object.keys(value).sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
  }
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw new Bad("receipt");
  return JSON.stringify(value);
}

function bytes(base64) {
  let raw;
  try {
    raw = atob(base64);
  } catch {
    throw new Bad("receipt");
  }
  if (btoa(raw) !== base64) throw new Bad("receipt");
  return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const equal = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
const sha256 = async (data) => new Uint8Array(await crypto.subtle.digest("SHA-256", data));

/** A C2SP key line: {line, name, id, kind, key}; null for what is none. */
export async function readKey(line) {
  const [name, id, encoded] = [line.split("+")[0], line.split("+")[1], line.split("+").slice(2).join("+")];
  if (!name || !id || !encoded) return null;
  const raw = bytes(encoded);
  const digest = await sha256(joined(encoder.encode(`${name}\n`), raw));
  const shown = Array.from(digest.slice(0, 4), (b) => b.toString(16).padStart(2, "0")).join("");
  return shown === id ? { line, name, id: digest.slice(0, 4), kind: raw[0], key: raw.slice(1) } : null;
}

/** true, false, or null where this browser has no Ed25519. */
async function signed(key, message, signature) {
  let imported;
  try {
    imported = await crypto.subtle.importKey("raw", key.key, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    return null;
  }
  return crypto.subtle.verify({ name: "Ed25519" }, imported, signature, message);
}

function readReceipt(text) {
  let found;
  try {
    found = JSON.parse(text);
  } catch {
    throw new Bad("receipt");
  }
  const texts = ["log", "key", "leaf", "signature"];
  const right = found && found.format === FORMAT && texts.every((n) => typeof found[n] === "string") && found.about && typeof found.about === "object";
  const known = ["format", "about", "proof", ...texts];
  if (!right || Object.keys(found).some((name) => !known.includes(name))) throw new Bad("receipt");
  return found;
}

function readEntry(receipt) {
  let entry;
  try {
    entry = JSON.parse(receipt.leaf);
  } catch {
    throw new Bad("entry");
  }
  const content = entry.public ? entry.public.content : undefined;
  const pairs = [["at", entry.at], ["event", entry.event], ["content", content]];
  const contradicts = ([name, value]) => name in receipt.about && value !== undefined && receipt.about[name] !== value;
  if (typeof entry.id !== "string" || pairs.some(contradicts)) throw new Bad("entry");
  return entry;
}

function readProof(text) {
  const gap = text.indexOf("\n\n");
  const lines = text.slice(0, gap).split("\n");
  if (gap < 0 || lines.shift() !== PROOF) throw new Bad("proof");
  if (lines[0] && lines[0].startsWith("extra ")) lines.shift();
  const index = /^index (0|[1-9][0-9]{0,14})$/.exec(lines.shift() || "");
  if (!index || lines.length > 64) throw new Bad("proof");
  return { index: Number(index[1]), hashes: lines.map(bytes), note: text.slice(gap + 2) };
}

async function readCheckpoint(note, keys, origin) {
  const gap = note.lastIndexOf("\n\n");
  const text = note.slice(0, gap + 1);
  const head = text.split("\n");
  if (gap < 0 || head.length !== 4 || head[0] !== origin || !/^(0|[1-9][0-9]{0,14})$/.test(head[1])) throw new Bad("proof");
  let verdict = false;
  for (const line of note.slice(gap + 2).split("\n").filter(Boolean)) {
    const [, name, encoded] = line.split(" ");
    const raw = bytes(encoded || "");
    const key = keys.find((k) => k.kind === 1 && k.name === name && name === origin && equal(k.id, raw.slice(0, 4)));
    if (!key) continue;
    verdict = await signed(key, encoder.encode(text), raw.slice(4));
    if (verdict === false) throw new Bad("checkpoint");
  }
  if (verdict === false) throw new Bad("checkpoint");
  return { size: Number(head[1]), root: bytes(head[2]), unsigned: verdict === null };
}

/** The root an inclusion proof leads to (RFC 9162 §2.1.3.2). */
export async function climb(index, size, leaf, hashes) {
  if (index >= size) throw new Bad("inclusion");
  const node = (left, right) => sha256(joined(Uint8Array.of(1), left, right));
  let [here, last, result] = [index, size - 1, leaf];
  const up = () => {
    here = Math.floor(here / 2);
    last = Math.floor(last / 2);
  };
  for (const sibling of hashes) {
    if (last === 0 || sibling.length !== 32) throw new Bad("inclusion");
    if (here % 2 === 1 || here === last) {
      result = await node(sibling, result);
      while (here % 2 === 0 && here !== 0) up();
    } else {
      result = await node(result, sibling);
    }
    up();
  }
  if (last !== 0) throw new Bad("inclusion");
  return result;
}

export const leafHash = (leaf) => sha256(joined(Uint8Array.of(0), encoder.encode(leaf)));

/** {steps: [...], bad: kind or "", unsigned, about}: what held, the first thing that did not, whether signatures could not be checked. */
export async function check(text, lines) {
  const answer = { steps: [], bad: "", unsigned: false, about: null };
  try {
    const receipt = readReceipt(text);
    const keys = (await Promise.all(lines.map((line) => line.trim()).filter(Boolean).map(readKey))).filter(Boolean);
    const mine = keys.find((k) => k.kind === 1 && k.name === `${receipt.log}/receipts` && k.line === receipt.key);
    if (!mine) throw new Bad("key");
    const { signature, proof, ...rest } = receipt;
    const verdict = await signed(mine, encoder.encode(canonical(rest)), bytes(signature));
    if (verdict === false) throw new Bad("signature");
    answer.unsigned = verdict === null;
    if (verdict) answer.steps.push("signature");
    readEntry(receipt);
    answer.steps.push("entry");
    if (proof === undefined) {
      answer.steps.push("pending");
    } else {
      const { index, hashes, note } = readProof(String(proof));
      const head = await readCheckpoint(note, keys, receipt.log);
      const root = await climb(index, head.size, await leafHash(receipt.leaf), hashes);
      if (!equal(root, head.root)) throw new Bad("inclusion");
      answer.unsigned = answer.unsigned || head.unsigned;
      answer.steps.push("inclusion");
    }
    answer.about = receipt.about;
  } catch (wrong) {
    answer.bad = wrong instanceof Bad ? wrong.kind : "receipt";
  }
  return answer;
}
