// 开标钥匙, 制作密钥 and 解开一层 on the officers' pages: the forms work by hand with the stock age tool, this file does it in the browser instead.
// A passphrase or a secret key never becomes part of what a form sends, but the call's key in the last turn of an opening, which is what opens the bids.
import { groupsOf, makeCallKey, newOfficer, peel, unlockOfficer } from "./ceremony.js";
import { base64, fromBase64, openWith } from "./sealing.js";

const said = JSON.parse(document.getElementById("seal-words").textContent);
const pause = () => new Promise((resolve) => setTimeout(resolve, 50)); // let a sentence be seen: scrypt keeps the browser busy for seconds
const part = (form, name) => form.querySelector(`[data-seal-${name}]`);
const why = (wrong) => said[wrong.rule] ?? said.failed;

function show(line, sentence) {
  line.textContent = sentence;
  line.hidden = !sentence && !line.hasAttribute("role"); // what is read out when it changes must be there before
}

// --- an officer's own key ----------------------------------------------------------------------------------------------
function key(form) {
  const [generate, kept, send] = [part(form, "generate"), part(form, "kept"), form.querySelector("button[type=submit]")];
  const state = () => (send.disabled = Boolean(form.dataset.made) && !kept.checked);
  part(form, "scripted").hidden = false;
  generate.addEventListener("click", async () => {
    show(part(form, "status"), said.making);
    generate.disabled = true;
    await pause();
    const made = await newOfficer();
    form.elements.recipient.value = made.recipient;
    form.elements.protected.value = base64(made.protected);
    part(form, "passphrase").textContent = made.passphrase;
    Object.assign(part(form, "save"), { onclick: () => save(made.protected, said.key_file) });
    part(form, "made").hidden = false;
    form.dataset.made = "true";
    kept.checked = false;
    generate.disabled = false;
    show(part(form, "status"), said.made);
    state();
  });
  part(form, "print").addEventListener("click", () => window.print());
  kept.addEventListener("change", state);
}

function save(bytes, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob([bytes])), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

// --- the key of a call -------------------------------------------------------------------------------------------------
function chosenOfficers(form) {
  const recipients = JSON.parse(document.getElementById("seal-recipients").textContent);
  const users = [...form.querySelectorAll('select[name^="user-"]')].filter((select) => select.value);
  return users.map((select) => ({ name: form.elements[select.name.replace("user", "name")].value.trim(), recipient: recipients[select.value] }));
}

function make(form) {
  form.addEventListener("submit", async (event) => {
    const officers = chosenOfficers(form);
    if (form.elements.made.value || officers.some(({ name }) => !name)) return; // the server says which office is missing
    event.preventDefault();
    try {
      groupsOf(officers, Number(form.elements.threshold.value));
      show(part(form, "status"), said.making);
      await pause();
      const { record, shares, test } = await makeCallKey(form.dataset.call, officers, Number(form.elements.threshold.value));
      const told = { recipient: record.recipient, test: base64(test), test_hash: record.test.content };
      form.elements.made.value = JSON.stringify({ ...told, shares: shares.map(([names, blob]) => ({ officers: names, blob: base64(blob) })) });
      form.submit();
    } catch (wrong) {
      show(part(form, "status"), why(wrong));
    }
  });
}

// --- one layer of a share ----------------------------------------------------------------------------------------------
async function keyFile(form) {
  if (form.dataset.protected) return fromBase64(form.dataset.protected);
  const [file] = part(form, "file").files;
  if (!file) throw Object.assign(new Error("file"), { rule: "no_file" });
  const bytes = new Uint8Array(await file.arrayBuffer());
  const line = new TextDecoder().decode(bytes).replace(/\s/g, ""); // from paper: the line that the code holds
  return /^[A-Za-z0-9+/]+=*$/.test(line) ? fromBase64(line) : bytes;
}

// What the form is to send once this officer's layer is off: [control, text].
async function turned(form) {
  const secret = await unlockOfficer(await keyFile(form), part(form, "words").value);
  const rest = await peel(fromBase64(form.dataset.blob), secret);
  if (form.dataset.last !== "true") return ["rest", base64(rest)];
  const found = new TextDecoder().decode(rest).trim();
  if (form.dataset.purpose === "opening") return ["secret", found];
  return ["content", base64(await openWith(fromBase64(form.dataset.test), found))];
}

function turn(form) {
  const line = part(form, "error");
  part(form, "scripted").hidden = false;
  form.addEventListener("submit", async (event) => {
    const byHand = ["rest", "content", "secret"].some((name) => form.elements[name]?.value);
    if (byHand) return;
    event.preventDefault();
    if (form.dataset.busy) return;
    if (!part(form, "words").value.trim()) return show(line, said.no_words);
    form.dataset.busy = "true";
    line.classList.remove("govuk-error-message");
    show(line, said.unlocking);
    await pause();
    try {
      const [name, text] = await turned(form);
      form.elements[name].value = text;
      form.submit();
    } catch (wrong) {
      line.classList.add("govuk-error-message");
      show(line, why(wrong));
      delete form.dataset.busy;
    }
  });
}

document.querySelector("[data-seal-print-file]")?.addEventListener("click", () => window.print());
const pages = { key, make, turn };
if (globalThis.crypto?.subtle) for (const form of document.querySelectorAll("form[data-seal]")) pages[form.dataset.seal](form);
document.documentElement.dataset.ceremony = "ready";
