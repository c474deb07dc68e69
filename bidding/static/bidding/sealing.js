// 封标: what bidding/sealing does in Python, done in the bidder's browser. Pure functions: bytes in, bytes out; nothing is kept, sent or shown here.
// A sealed thing is an age v1 file, a manifest is JSON, the header commits to both; see bidding/sealing/envelope.py, which opens what is made here.
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "./age.min.js";

export const SUITE = "age-v1";
export const MANIFEST = "manifest";
const MANIFEST_FORMAT = "gongchuang-bid-manifest/1";
const HEADER_FORMAT = "gongchuang-bid-header/1";
const BID_FORMAT = "bid-form/1";
const SALT_BYTES = 32;
const encoder = new TextEncoder();

// Why something was not sealed or not opened. `rule` is one of bidding/sealing/refusals.py; `about` names the file or the field.
export class SealRefused extends Error {
  constructor(rule, about = "") {
    super(`${rule}: ${about}`);
    this.rule = rule;
    this.about = about;
  }
}

export const newIdentity = generateX25519Identity;
export const recipientOf = identityToRecipient;

export async function bytesOf(content) {
  return content instanceof Uint8Array ? content : new Uint8Array(await content.arrayBuffer());
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const digest = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

// Lower-case hex, of bytes or a Blob.
export const sha256 = async (content) => hex(await digest(await bytesOf(content)));

export function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

export const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

// Canonical JSON: keys sorted, no blanks, whole numbers only; the text of grants/ledger/canonical.py for the same value.
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw new SealRefused("format", String(value));
  if (typeof value === "string") return JSON.stringify(value.toWellFormed ? value.toWellFormed() : value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

// An age file for one recipient. content: bytes or a Blob. tell(bytes done): called as it goes, so that a large file shows progress.
export async function sealTo(content, recipient, tell = () => {}) {
  const encrypter = new Encrypter();
  try {
    encrypter.addRecipient(recipient);
  } catch {
    throw new SealRefused("recipient", recipient);
  }
  const blob = content instanceof Uint8Array ? new Blob([content]) : content;
  return gather(await encrypter.encrypt(blob.stream()), tell);
}

async function gather(stream, tell) {
  const reader = stream.getReader();
  const pieces = [];
  for (let done = 0; ; ) {
    const piece = await reader.read();
    if (piece.done) return new Uint8Array(await new Blob(pieces).arrayBuffer());
    pieces.push(piece.value);
    done += piece.value.length;
    tell(done);
  }
}

// The plaintext of an age file. Throws SealRefused: identity, wrong_key (made for somebody else), damaged.
export async function openWith(content, secret, about = "") {
  const decrypter = new Decrypter();
  try {
    decrypter.addIdentity(secret.trim());
  } catch {
    throw new SealRefused("identity", about);
  }
  try {
    return await decrypter.decrypt(await bytesOf(content));
  } catch (wrong) {
    throw new SealRefused(/no identity matched/i.test(String(wrong)) ? "wrong_key" : "damaged", about);
  }
}

// A passphrase-protected age file, and what is in one. Takes about a second each: scrypt makes guessing expensive.
export async function lock(content, words) {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(words);
  return encrypter.encrypt(await bytesOf(content));
}

export async function unlock(content, words, about = "") {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(readPassphrase(words));
  try {
    return await decrypter.decrypt(await bytesOf(content));
  } catch {
    throw new SealRefused("passphrase", about);
  }
}

// 100 bits in five groups of four, of letters and digits that are not mistaken for one another; as bidding/sealing/keys.py.
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const [GROUPS, LETTERS] = [5, 4];
const grouped = (letters) => letters.match(new RegExp(`.{${LETTERS}}`, "g")).join("-");

export function generatePassphrase() {
  const drawn = crypto.getRandomValues(new Uint8Array(GROUPS * LETTERS)); // 256 = 8 × 32: every letter is as likely as every other
  return grouped(Array.from(drawn, (byte) => ALPHABET[byte % ALPHABET.length]).join(""));
}

// What was typed, in the form it was generated; l and i read as 1, o as 0. Other text is left alone.
export function readPassphrase(typed) {
  const plain = typed.replace(/[\s-]/g, "").toLowerCase().replace(/[il]/g, "1").replace(/o/g, "0");
  const made = plain.length === GROUPS * LETTERS && [...plain].every((letter) => ALPHABET.includes(letter));
  return made ? grouped(plain) : typed.trim();
}

// What a bid says, as it goes into the manifest. fields: [[control, text], …] as the browser would post them; empty ones are left out.
export function bidOf(rules, fields, declarations) {
  const said = fields.filter(([, text]) => text !== "").map(([name, text]) => [name, text]);
  return { format: BID_FORMAT, rules, fields: said, declarations: [...declarations] };
}

// place: {call, organisation, version}. attachments: [{name: "<item>/<file name>", content: Blob or bytes}]. Bytes of the manifest.
export async function manifestOf(place, bid, attachments, salt) {
  const listed = [];
  for (const { name, content } of attachments) listed.push(await rowOf(name, content));
  return encoder.encode(canonical({ format: MANIFEST_FORMAT, ...where(place), bid, attachments: listed, salt: base64(salt) }));
}

const where = ({ call, organisation, version }) => ({ call, organisation, version });

async function rowOf(name, content) {
  const bytes = await bytesOf(content);
  return { name, size: bytes.length, sha256: await sha256(bytes) };
}

export async function commitment(manifest, salt) {
  const inner = await digest(manifest);
  const joined = new Uint8Array(salt.length + inner.length);
  joined.set(salt);
  joined.set(inner, salt.length);
  return sha256(joined);
}

// Seal a bid: {header, files: [[name, Blob], …], kept: {manifest, attachments}}. tell(done, whole): bytes sealed so far.
export async function sealBid(place, bid, attachments, recipient, tell = () => {}) {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const manifest = await manifestOf(place, bid, attachments, salt);
  const plain = [[MANIFEST, manifest], ...attachments.map(({ content }, i) => [`attachment-${i + 1}`, content])];
  const whole = plain.reduce((sum, [, content]) => sum + (content.size ?? content.length), 0);
  const files = [];
  const listed = [];
  let before = 0;
  for (const [name, content] of plain) {
    const sealed = await sealTo(content, recipient, (done) => tell(Math.min(before + done, whole), whole));
    listed.push(await rowOf(name, sealed));
    files.push([name, new Blob([sealed])]);
    before += content.size ?? content.length;
  }
  const header = { format: HEADER_FORMAT, suite: SUITE, ...where(place), files: listed, commit: await commitment(manifest, salt) };
  return { header, files, kept: { manifest, attachments } };
}

// The manifest of a kept copy or of an opened envelope as JSON types. Throws SealRefused("format").
export function readManifest(bytes) {
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const salt = fromBase64(value.salt);
    if (value.format === MANIFEST_FORMAT && salt.length === SALT_BYTES && value.bid && Array.isArray(value.attachments)) return { value, salt };
  } catch {
    // told below
  }
  throw new SealRefused("format", MANIFEST);
}

// Open a bid with the call's secret: {bid, attachments: [[name, bytes], …]}. Throws SealRefused as envelope.opened.
export async function openBid(header, files, secret) {
  await checkFiles(header, files);
  const sealed = new Map(files);
  const manifest = await openWith(sealed.get(MANIFEST), secret, MANIFEST);
  const { value, salt } = readManifest(manifest);
  for (const field of ["call", "organisation", "version"]) if (value[field] !== header[field]) throw new SealRefused("other_bid", field);
  if ((await commitment(manifest, salt)) !== header.commit) throw new SealRefused("commitment", MANIFEST);
  const attachments = [];
  for (const [i, { name, size, sha256: expected }] of value.attachments.entries()) {
    const content = await openWith(sealed.get(`attachment-${i + 1}`), secret, name);
    if (content.length !== size || (await sha256(content)) !== expected) throw new SealRefused("commitment", name);
    attachments.push([name, content]);
  }
  return { bid: value.bid, attachments };
}

// Whether sealed files are those of the header; needs no key. Throws SealRefused: format, missing, damaged, unlisted.
export async function checkFiles(header, files) {
  if (header.format !== HEADER_FORMAT || header.suite !== SUITE) throw new SealRefused("format", "header");
  const sealed = new Map(files);
  for (const { name, sha256: expected } of header.files) {
    if (!sealed.has(name)) throw new SealRefused("missing", name);
    if ((await sha256(sealed.get(name))) !== expected) throw new SealRefused("damaged", name);
    sealed.delete(name);
  }
  for (const name of sealed.keys()) throw new SealRefused("unlisted", name);
}
