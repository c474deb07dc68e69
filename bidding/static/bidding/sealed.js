// 密封投标: the page on which a bid is written, kept in this browser, sealed here, and only then sent. Nothing typed leaves the computer in clear.
// The form's submit is stopped for good as soon as this file runs; what is sent are age files and a header that says nothing of the bid.
import "../web/counter.js";
import "../web/paste.js";
import "./budget.js";
import { Answer } from "../web/answers.js";
import { lowestCap } from "./budget-rules.js";
import { Carried } from "./sealed-carried.js";
import { Draft, holdPen } from "./sealed-draft.js";
import { problemsOf } from "./sealed-check.js";
import { plainName, unfit } from "./sealed-files.js";
import { twoPlaces } from "../web/decimal.js";
import { bidOf, canonical, generatePassphrase, lock, readManifest, sealBid, unlock } from "./sealing.js";
import { readZip, writeZip } from "./zip.js";

const form = document.querySelector("form[data-sealed]");
const page = JSON.parse(document.getElementById("sealed-page").textContent);
const { asked, said } = page;
const find = (name) => document.querySelector(`[data-${name}]`);
const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
const SAVE_AFTER = 500; // ms after a change
const PAUSES = [5, 10, 20, 40, 60]; // seconds between tries while the server does not answer
const NOT_CONTENT = /^(csrfmiddlewaretoken|mark-|keep-|more$)/;
const DRAFT = "draft.json";

const fill = (key, figures = {}) => said[key].replace(/\{(\w+)\}/g, (_all, name) => figures[name]);
const megabytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
const size = (bytes) => (bytes < 2 ** 20 ? `${Math.ceil(bytes / 1024)} KB` : megabytes(bytes));
const hour = (iso) => new Date(iso).toLocaleString(document.documentElement.lang, { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" });

class Sealed {
  constructor() {
    this.draft = new Draft(form.dataset.writer, form.dataset.place);
    this.files = [];
    this.answers = [...form.querySelectorAll("[data-answer]")].map((box) => new Answer(box));
    this.carried = new Carried(this.answers, page.carried, said, () => this.touch());
    this.status = find("sealed-state");
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelectorAll("[data-here]").forEach((part) => part.remove()); // the server's way is not offered where this one works
    this.listen();
  }

  async begin() {
    this.last = this.now();
    await this.restore();
    await this.resume();
    navigator.storage?.persist?.(); // asks the browser not to clear it when the disk is full
    this.takePen = holdPen(form.dataset.place, { given: () => this.pen(true), taken: () => this.pen(false), refused: () => this.pen(false) });
    find("sealed-loading").hidden = true;
    document.querySelectorAll("[data-scripted]").forEach((part) => (part.hidden = false));
    form.dataset.ready = "";
  }

  async restore() {
    try {
      const kept = await this.draft.read();
      this.files = await this.draft.files();
      if (kept) this.fill(kept.pairs, kept.carried);
      const filled = kept ? 0 : this.prefill();
      if (kept) this.say("restored", { at: hour(kept.at) });
      else this.say(filled ? "filled" : "ready", { n: filled });
    } catch {
      this.say("unkept", {}, true);
    }
    this.showFiles();
    this.lowerCap();
  }

  say(key, figures = {}, wrong = false) {
    this.status.textContent = fill(key, figures);
    this.status.classList.toggle("govuk-error-message", wrong);
  }

  // --- the draft -------------------------------------------------------------------------------------------------------
  pairs() {
    return [...new FormData(form)].filter(([name, text]) => typeof text === "string" && !NOT_CONTENT.test(name));
  }

  now() {
    return JSON.stringify([this.pairs(), this.carried.waits]);
  }

  // A new draft begins with what the organisation has told before; nothing is kept until somebody types or confirms.
  prefill() {
    const filled = this.carried.prefill();
    this.last = this.now();
    return filled;
  }

  fill(pairs, carried = {}) {
    for (const answer of this.answers) {
      const names = new Set(answer.controls().map(({ name }) => name));
      const table = answer.box.querySelector("table[data-rows]")?.dataset.rows.replace(/-(TOTAL_FORMS|rows)$/, "-");
      answer.fill(pairs.filter(([name]) => names.has(name) || (table && name.startsWith(table))).map((pair) => [...pair]));
    }
    const declared = pairs.filter(([name]) => name === "declarations").map(([, code]) => code);
    form.querySelectorAll('[name="declarations"]').forEach((box) => (box.checked = declared.includes(box.value)));
    this.carried.take(carried);
    this.last = this.now();
  }

  touch() {
    clearTimeout(this.timer);
    this.say("saving");
    this.timer = setTimeout(() => this.keep(), SAVE_AFTER);
  }

  async keep() {
    clearTimeout(this.timer);
    const now = this.now();
    if (this.readOnly) return;
    if (now === this.last) return this.timer && this.say("saved", { at: hour(new Date().toISOString()) });
    try {
      await this.draft.keep(this.pairs(), this.carried.waits);
      this.last = now;
      this.say("saved", { at: hour(new Date().toISOString()) });
    } catch {
      this.say("unkept", {}, true);
    }
  }

  // Another tab writes now: this one looks on; or this one writes, on what the other has left.
  async pen(mine) {
    if (!mine) await this.keep();
    find("sealed-elsewhere").hidden = mine;
    find("sealed-fields").disabled = !mine; // what is disabled is no part of the form: it is kept before, and read after
    if (mine && this.readOnly) await this.restore();
    this.readOnly = !mine;
    if (this.ready) this.rest();
    if (!mine) this.say("elsewhere", {}, true);
  }

  listen() {
    for (const name of ["input", "change"]) form.addEventListener(name, (event) => event.target.type !== "file" && this.touch());
    form.addEventListener("change", (event) => event.target.matches("[data-item]") && this.choose(event.target));
    form.addEventListener("change", (event) => event.target.name in asked.budget.caps && this.lowerCap());
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && this.keep());
    window.addEventListener("pagehide", () => this.keep());
    window.addEventListener("beforeunload", (event) => (this.busy || (this.now() !== this.last && !this.readOnly)) && event.preventDefault());
    const on = (name, act) => find(name)?.addEventListener("click", act);
    on("sealed-take", () => this.takePen());
    on("sealed-check", () => this.check());
    on("sealed-export", () => this.exportDraft());
    on("sealed-import", () => this.importDraft());
    on("sealed-to-import", () => (document.getElementById("sealed-import").open = true));
    on("seal", () => this.seal());
    on("sealed-send", () => this.send());
    on("sealed-again", () => this.forget());
    find("sealed-confirmed")?.addEventListener("change", (event) => (find("sealed-send").disabled = !event.target.checked));
  }

  // The lowest cap of what was chosen counts; the list of caps shows it.
  lowerCap() {
    const line = form.querySelector('[data-cap][data-measure="grant"][data-of-category=""]:not([data-at-least]):not([data-amount=""])');
    if (!line) return;
    const chosen = (name) => form.querySelector(`[name="${name}"]:checked, select[name="${name}"]`)?.value;
    line.dataset.amount = twoPlaces({ n: lowestCap(asked.budget, chosen), e: -2 });
    form.querySelector('[data-answer="budget"]').dispatchEvent(new Event("input"));
  }

  // --- files -----------------------------------------------------------------------------------------------------------
  async choose(input) {
    const item = asked.papers.find(({ code }) => code === input.dataset.item);
    const told = [];
    for (const blob of input.files) {
      const rule = await unfit(blob, item);
      const name = plainName(blob.name);
      if (rule) told.push(fill(`file_${rule}`, { name, mb: Math.floor(item.most / 2 ** 20), kinds: item.kinds.map(({ label }) => label).join("、") }));
      else await this.addFile({ code: item.code, name, blob });
    }
    input.value = "";
    this.tellFiles(item.code, told);
    this.showFiles();
  }

  async addFile(file) {
    this.files = [...this.files.filter(({ code, name }) => code !== file.code || name !== file.name), file];
    try {
      await this.draft.putFile(file);
      this.say("saved", { at: hour(new Date().toISOString()) });
    } catch {
      this.say("unkept", {}, true);
    }
  }

  tellFiles(code, sentences) {
    const box = form.querySelector(`[data-paper="${code}"]`);
    box.querySelectorAll("[data-problem]").forEach((line) => line.remove());
    for (const sentence of sentences) {
      const line = Object.assign(document.createElement("p"), { className: "govuk-error-message", textContent: sentence });
      line.dataset.problem = "";
      line.setAttribute("role", "alert");
      box.prepend(line);
    }
  }

  showFiles() {
    for (const box of form.querySelectorAll("[data-paper]")) {
      const mine = this.files.filter(({ code }) => code === box.dataset.paper);
      const list = box.querySelector("[data-kept]");
      list.replaceChildren(...mine.map((file) => this.lineOf(file)));
      list.hidden = !mine.length;
    }
  }

  lineOf(file) {
    const line = document.createElement("li");
    const button = Object.assign(document.createElement("button"), { type: "button", className: "govuk-button govuk-button--secondary govuk-!-margin-bottom-1", textContent: said.remove });
    button.setAttribute("aria-label", `${said.remove} ${file.name}`);
    button.addEventListener("click", async () => {
      this.files = this.files.filter((other) => other !== file);
      this.showFiles();
      await this.draft.dropFile(file).catch(() => this.say("unkept", {}, true));
    });
    line.append(`${file.name}（${size(file.blob.size)}） `, button);
    return line;
  }

  // --- taking the draft along --------------------------------------------------------------------------------------------
  attachments() {
    return this.files.map(({ code, name, blob }) => ({ name: `${code}/${name}`, content: blob }));
  }

  async exportDraft() {
    const words = generatePassphrase();
    this.say("locking");
    await new Promise((resolve) => setTimeout(resolve, 50)); // let the sentence be seen: the next step keeps the browser busy
    const head = encoder.encode(JSON.stringify({ format: "gongchuang-draft/1", call: page.call, pairs: this.pairs(), carried: this.carried.waits }));
    const whole = await writeZip([[DRAFT, head], ...this.attachments().map(({ name, content }) => [`attachments/${name}`, content])]);
    offer(find("sealed-exported"), new Blob([await lock(whole, words)]), fill("draft_name", { call: page.call }));
    find("sealed-words").textContent = words;
    find("sealed-words-panel").hidden = false;
    this.say("ready");
  }

  async importDraft() {
    const [file] = find("sealed-file").files;
    const told = find("sealed-import-told");
    if (!file) return;
    try {
      const bytes = new Uint8Array(await file.arrayBuffer());
      const locked = decoder.decode(bytes.subarray(0, 21)) === "age-encryption.org/v1";
      const whole = locked ? await unlock(bytes, find("sealed-typed").value) : bytes;
      await this.take(new Map(await readZip(new Blob([whole]))));
      told.textContent = said.replaced;
    } catch (wrong) {
      told.textContent = said[{ passphrase: "wrong_words", other_call: "other_call" }[wrong.rule] ?? "not_ours"];
    }
  }

  // An exported draft, or the kept copy of an earlier version.
  async take(entries) {
    const isDraft = entries.has(DRAFT);
    const content = isDraft ? JSON.parse(decoder.decode(entries.get(DRAFT))) : readManifest(entries.get("manifest.json")).value;
    if (content.call !== page.call) throw Object.assign(new Error("call"), { rule: "other_call" });
    const pairs = isDraft ? content.pairs : [...content.bid.fields, ...content.bid.declarations.map((code) => ["declarations", code])];
    if (!Array.isArray(pairs) || !pairs.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === "string"))) throw new Error("pairs");
    await this.draft.dropFiles();
    this.files = [];
    for (const [path, bytes] of entries) {
      const [, code, name] = /^attachments\/([a-z0-9_]+)\/([^/]+)$/.exec(path) ?? [];
      if (asked.papers.some((item) => item.code === code)) await this.addFile({ code, name, blob: new Blob([bytes]) });
    }
    this.fill(pairs, content.carried);
    this.last = "";
    await this.keep();
    this.showFiles();
    this.lowerCap();
  }

  // --- checking, sealing, sending ------------------------------------------------------------------------------------------
  check() {
    const found = problemsOf(form, asked, said, this.files, this.carried.waiting());
    const summary = find("sealed-problems");
    summary.hidden = !found.length;
    summary.querySelector("ul").replaceChildren(...found.map(({ place, sentence }) => problem(place, sentence)));
    find("sealed-complete").textContent = found.length ? "" : said.complete;
    if (found.length) summary.focus();
    return !found.length;
  }

  async seal() {
    if (this.busy || !this.check()) return;
    this.busy = true;
    await this.keep();
    find("sealing").hidden = false;
    find("sealing").focus();
    this.step("sealing");
    try {
      const declarations = this.pairs().filter(([name]) => name === "declarations").map(([, code]) => code);
      const fields = this.pairs().filter(([name]) => name !== "declarations");
      const made = await sealBid(page.sealing, bidOf(page.sealing.rules, fields, declarations), this.attachments(), page.sealing.recipient, (done, whole) =>
        this.progress("sealing", done, whole),
      );
      const kept = await writeZip([["manifest.json", made.kept.manifest], ...made.kept.attachments.map(({ name, content }) => [`attachments/${name}`, content])]);
      const name = fill("kept_name", { call: page.call, n: made.header.version });
      this.ready = { header: made.header, files: made.files, declarations, kept, name };
      await this.draft.putSealed(this.ready).catch(() => this.say("unkept", {}, true));
      this.offerKept(true);
    } catch (wrong) {
      this.tell(fill("seal_failed", { why: String(wrong.message ?? wrong) }), true);
    } finally {
      this.busy = false;
    }
  }

  // What was sealed before the page was left is offered again: the same files, so that the kept copy stays right.
  async resume() {
    this.ready = await this.draft.sealed().catch(() => null);
    if (!this.ready) return;
    if (this.ready.header.version !== page.sealing.version || this.ready.header.organisation !== page.sealing.organisation) return this.draft.dropSealed();
    find("sealing").hidden = false;
    this.offerKept(false);
  }

  // While something sealed waits to be sent, the page it was made of cannot be changed under it.
  rest() {
    this.readOnly = true;
    find("sealed-fields").disabled = find("sealed-fields").hidden = true;
    for (const part of document.querySelectorAll("[data-before-sealing]")) part.hidden = true;
  }

  offerKept(atOnce) {
    this.rest();
    this.tell(said.sealed);
    this.step("keeping");
    const link = offer(find("sealed-kept"), this.ready.kept, this.ready.name);
    find("sealed-confirmed").checked = false;
    find("sealed-send").disabled = true;
    if (atOnce) link.click();
  }

  async send() {
    if (this.busy) return;
    clearTimeout(this.retry);
    this.busy = true;
    this.step("sending");
    const reply = await this.post().catch(() => null);
    this.busy = false;
    if (reply?.number) return this.finished(reply);
    if (reply?.sentence) return this.tell(fill("refused", { why: reply.sentence }), true);
    if (!reply && (await this.signedOut())) return this.tell(said.signed_out, true);
    const rest = PAUSES[Math.min((this.tries = (this.tries ?? 0) + 1), PAUSES.length) - 1];
    this.tell(fill("resting", { n: rest }), true);
    this.retry = setTimeout(() => this.send(), rest * 1000);
  }

  // Signing in again gives the browser a new token, which the page of before does not have; a page without our form asks to sign in.
  async signedOut() {
    try {
      const answer = await fetch(form.dataset.place, { headers: { Accept: "text/html" } });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const token = fresh.querySelector("form[data-sealed] [name=csrfmiddlewaretoken]");
      if (token) form.elements.csrfmiddlewaretoken.value = token.value;
      return answer.ok && !token;
    } catch {
      return false;
    }
  }

  // {number, next, …} or {sentence}; rejects when nobody answered in a way that can be read.
  post() {
    const body = new FormData();
    body.append("header", canonical(this.ready.header));
    this.ready.declarations.forEach((code) => body.append("declarations", code));
    this.ready.files.forEach(([name, blob]) => body.append(name, blob, `${name}.age`));
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest(); // fetch does not say how much has been sent
      request.upload.addEventListener("progress", (event) => this.progress("sending", event.loaded, event.total));
      request.addEventListener("load", () => (request.status < 500 && (request.response?.number || request.response?.sentence) ? resolve(request.response) : reject(new Error(String(request.status)))));
      for (const failure of ["error", "abort", "timeout"]) request.addEventListener(failure, () => reject(new Error(failure)));
      request.open("POST", form.dataset.handIn);
      request.responseType = "json";
      request.setRequestHeader("X-CSRFToken", form.elements.csrfmiddlewaretoken.value);
      request.setRequestHeader("Accept", "application/json");
      request.send(body);
    });
  }

  async finished(reply) {
    await this.draft.dropSealed().catch(() => {});
    this.tell(fill("handed_in", reply));
    window.location.assign(reply.next);
  }

  // What was sealed is given up, to change the bid and seal it anew.
  async forget() {
    clearTimeout(this.retry);
    await this.draft.dropSealed().catch(() => {});
    this.ready = null;
    find("sealing").hidden = true;
    window.location.reload();
  }

  step(name) {
    document.querySelectorAll("[data-sealing-step]").forEach((part) => (part.hidden = part.dataset.sealingStep !== name && !(name === "sending" && part.dataset.sealingStep === "keeping")));
  }

  progress(key, done, whole) {
    const bar = document.querySelector(`[data-sealing-step="${key}"] progress`);
    [bar.max, bar.value] = [whole || 1, done];
    this.tell(fill(key, { done: size(done), whole: size(whole) }));
  }

  tell(sentence, wrong = false) {
    const line = find("sealing-told");
    line.textContent = sentence;
    line.classList.toggle("govuk-error-message", wrong);
  }
}

// A link that saves a file; it stays on the page, so that the file can be saved again.
function offer(link, blob, name) {
  URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(blob);
  link.download = name;
  return link;
}

function problem(place, sentence) {
  const line = document.createElement("li");
  const link = document.createElement(place ? "a" : "span");
  link.textContent = sentence;
  if (place) link.href = `#${place}`;
  line.append(link);
  return line;
}

if (form && globalThis.crypto?.subtle && globalThis.indexedDB) new Sealed().begin();
else if (form) find("sealed-loading").textContent = said.no_crypto;
