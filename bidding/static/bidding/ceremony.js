// 开标人的钥匙 and the key of a call, made and used in an officer's browser; the counterpart of bidding/sealing/ceremony.py and keys.py.
// Pure functions. A secret key lives in a variable while a function runs: nothing here stores, sends or shows one.
import { SUITE, SealRefused, generatePassphrase, lock, newIdentity, openWith, recipientOf, sealTo, sha256, unlock } from "./sealing.js";

const FORMAT = "gongchuang-seal-key/1";
const [LEAST, MOST] = [2, 5];
const TEST_BYTES = 32;
const encoder = new TextEncoder();

// A fresh officer's key: {recipient, protected: bytes of the key file, passphrase}. The secret half exists only inside the key file.
export async function newOfficer() {
  const [secret, passphrase] = [await newIdentity(), generatePassphrase()];
  return { recipient: await recipientOf(secret), protected: await lock(encoder.encode(secret), passphrase), passphrase };
}

// The secret in a protected key file. Throws SealRefused: passphrase, identity.
export async function unlockOfficer(file, words, about = "") {
  const text = new TextDecoder().decode(await unlock(file, words, about));
  const lines = text.split(/\r?\n/).filter((line) => line && !line.startsWith("#"));
  if (lines.length !== 1) throw new SealRefused("identity", about);
  await publicHalf(lines[0], about);
  return lines[0].trim();
}

export async function publicHalf(secret, about = "") {
  try {
    return await recipientOf(secret.trim());
  } catch {
    throw new SealRefused("identity", about);
  }
}

// Every group of `threshold` officers, in their order. officers: [{name, recipient}, …]. Throws SealRefused("officers").
export function groupsOf(officers, threshold) {
  const distinct = (key) => new Set(officers.map((officer) => officer[key])).size === officers.length;
  const possible = LEAST <= threshold && threshold <= officers.length && officers.length <= MOST;
  if (!possible || !distinct("name") || !distinct("recipient")) throw new SealRefused("officers");
  return chosen(officers, threshold);
}

function chosen(rest, n) {
  if (n === 0) return [[]];
  return rest.flatMap((first, i) => chosen(rest.slice(i + 1), n - 1).map((more) => [first, ...more]));
}

// Make a call's key: {record, shares: [[names, bytes], …], test}. The secret is gone when this returns.
export async function makeCallKey(call, officers, threshold) {
  const groups = groupsOf(officers, threshold);
  const secret = await newIdentity();
  const recipient = await recipientOf(secret);
  const shares = [];
  for (const group of groups) shares.push([group.map(({ name }) => name), await nested(encoder.encode(secret), group)]);
  const content = crypto.getRandomValues(new Uint8Array(TEST_BYTES));
  const test = await sealTo(content, recipient);
  return { record: await recordOf(call, officers, threshold, recipient, shares, test, content), shares, test };
}

async function nested(secret, group) {
  for (const officer of group) secret = await sealTo(secret, officer.recipient);
  return secret;
}

async function recordOf(call, officers, threshold, recipient, shares, test, content) {
  const listed = [];
  for (const [names, blob] of shares) listed.push({ officers: names, sha256: await sha256(blob) });
  return {
    format: FORMAT, suite: SUITE, call, threshold, recipient, shares: listed,
    officers: officers.map(({ name, recipient: key }) => ({ name, recipient: key })),
    test: { sha256: await sha256(test), content: await sha256(content) },
  };
}

// Take one officer's layer off a share: the last officer of the group first.
export const peel = openWith;

// The call's secret, once every layer is off. Throws SealRefused("identity") when it is not the key that was published.
export async function callSecret(peeled, recipient, about = "") {
  const secret = new TextDecoder().decode(peeled);
  if ((await publicHalf(secret, about)) !== recipient) throw new SealRefused("identity", about);
  return secret.trim();
}

// The call's secret from the secrets of one whole group: secrets is {name: secret}. Throws SealRefused as ceremony.recover.
export async function recover(record, shares, secrets) {
  const names = Object.keys(secrets).sort();
  const found = shares.find(([group]) => [...group].sort().join("\n") === names.join("\n"));
  if (!found) throw new SealRefused("no_share", names.join("、"));
  let [group, blob] = found;
  for (const name of [...group].reverse()) blob = await peel(blob, secrets[name], name);
  return callSecret(blob, record.recipient, record.call);
}

// 演练开标: the content of the test envelope, if it is the one published. Throws SealRefused("rehearsal").
export async function openTest(test, secret, expected, about = "") {
  const content = await openWith(test, secret, about);
  if ((await sha256(content)) !== expected) throw new SealRefused("rehearsal", about);
  return content;
}
