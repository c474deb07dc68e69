// A form that saves itself: within two seconds of a change, answer by answer, each on the version it was written on.
// Until the server has confirmed it, what was typed stays in this browser; it is tried again, ever more slowly, and found again
// after a reload or a new sign-in. Works with any form that has data-autosave (address) and data-writer (whose text it is).
import { Answer } from "./answers.js";
import { LocalCopy } from "./local-copy.js";
import { offer } from "./two-texts.js";

const SAVE_AFTER = 1000; // ms after the first unsaved change, so that a save has ended within two seconds
const SIGN_OF_LIFE = 15000; // ms; colleagues see each other and each other's answers
const PAUSES = [1000, 2000, 4000, 8000, 15000, 30000]; // ms between tries while the server does not answer

class Autosave {
  constructor(form) {
    this.form = form;
    this.answers = new Map([...form.querySelectorAll("[data-answer]")].map((box) => [box.dataset.answer, new Answer(box)]));
    this.copy = new LocalCopy(form.dataset.writer, form.dataset.autosave);
    this.sentences = document.querySelector("template[data-sentences]").dataset;
    this.state = document.querySelector("[data-saving-state]");
    this.failures = 0;
    this.restore();
    this.listen();
    this.send([]);
    setInterval(() => document.visibilityState === "visible" && !this.timer && this.send([]), SIGN_OF_LIFE);
  }

  listen() {
    const of = (event) => this.answers.get(event.target.closest?.("[data-answer]")?.dataset.answer);
    const on = (name, act) => this.form.addEventListener(name, (event) => of(event) && act(of(event), event));
    on("input", (answer, event) => !event.isComposing && this.touch(answer));
    on("change", (answer) => this.touch(answer));
    on("compositionstart", (answer) => (answer.composing = true));
    on("compositionend", (answer) => {
      answer.composing = false;
      this.touch(answer);
    });
    this.form.addEventListener("submit", () =>
      this.answers.forEach((a) => a.box.querySelector('[name^="keep-"]:checked') && this.copy.drop(a.name)),
    );
    const soon = () => this.unsaved().length && this.save();
    window.addEventListener("online", soon);
    window.addEventListener("focus", soon);
    document.addEventListener("visibilitychange", soon);
    window.addEventListener("beforeunload", (event) => this.unkept && this.unsaved().length && event.preventDefault());
  }

  // What an earlier visit could not save comes back into its boxes, and is saved on the version it was written on.
  restore() {
    this.answers.forEach((answer, name) => {
      const kept = this.copy.get(name);
      if (!kept || answer.choosing) return;
      if (JSON.stringify(kept.pairs) === answer.text()) {
        this.copy.drop(name);
        return;
      }
      answer.fill(kept.pairs);
      answer.mark = kept.mark;
      this.say("restored");
      this.schedule(0);
    });
    if (this.form.querySelector(".govuk-form-group--error")) this.answers.forEach((answer) => (answer.confirmed = null));
  }

  touch(answer) {
    if (answer.composing) return;
    if (!answer.changed) {
      this.copy.drop(answer.name);
      return;
    }
    this.unkept = !this.copy.put(answer.name, { pairs: answer.read(), mark: answer.mark });
    if (!answer.choosing) this.schedule(SAVE_AFTER);
  }

  unsaved() {
    return [...this.answers.values()].filter((answer) => answer.changed && !answer.composing && !answer.choosing);
  }

  schedule(wait) {
    this.timer ??= setTimeout(() => this.save(), wait);
  }

  save() {
    clearTimeout(this.timer);
    this.timer = null;
    return this.send(this.unsaved());
  }

  async send(answers) {
    if (this.sending) return;
    this.sending = true;
    if (answers.length) this.say("saving");
    const sent = answers.map((answer) => ({ answer: answer.name, mark: answer.mark, controls: answer.read() }));
    try {
      this.take(await this.post(sent), sent);
    } catch (failure) {
      this.failed(failure);
    } finally {
      this.sending = false;
      if (this.unsaved().length && !this.stopped) this.schedule(this.failures ? PAUSES[Math.min(this.failures, PAUSES.length) - 1] : SAVE_AFTER);
    }
  }

  async post(sent, again = true) {
    const marks = Object.fromEntries([...this.answers].filter(([, a]) => !a.choosing).map(([name, answer]) => [name, answer.mark]));
    const token = this.form.elements.csrfmiddlewaretoken;
    const reply = await fetch(this.form.dataset.autosave, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token.value },
      body: JSON.stringify({ answers: sent, marks }),
    });
    const readable = reply.headers.get("Content-Type")?.includes("json");
    if (reply.status === 403 && !readable && again && (await this.newToken(token))) return this.post(sent, false);
    if (!readable) throw new Error(`status ${reply.status}`);
    const said = await reply.json();
    if (!said.marks) throw Object.assign(new Error(said.sentence), { status: reply.status });
    return said;
  }

  // Signing in again gives the browser a new token; the page of before still has the old one.
  async newToken(token) {
    const page = await fetch(window.location.href, { headers: { Accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
    const found = fresh.querySelector("form[data-autosave] [name=csrfmiddlewaretoken]") ?? fresh.querySelector("[name=csrfmiddlewaretoken]");
    if (found) token.value = found.value;
    return Boolean(found);
  }

  take(said, sent) {
    this.failures = 0;
    this.stopped = false;
    const clashing = new Map(said.clashes.map((clash) => [clash.answer, clash]));
    sent.forEach(({ answer: name, controls }) => {
      const answer = this.answers.get(name);
      if (clashing.has(name)) {
        offer(answer, clashing.get(name), (decided) => this.decided(decided));
        return;
      }
      answer.mark = said.marks[name];
      answer.confirmed = JSON.stringify(controls);
      if (answer.changed) this.copy.put(name, { pairs: answer.read(), mark: answer.mark });
      else this.copy.drop(name);
      answer.tell(said.problems);
    });
    said.fresh.forEach((each) => this.refresh(each));
    this.tellWriters(said.writers);
    if (clashing.size) this.say("clash");
    else if (sent.length) this.say("saved", { at: said.saved_at });
    this.form.dispatchEvent(new CustomEvent("autosave:saved", { bubbles: true, detail: said }));
  }

  decided(answer) {
    if (answer.changed) this.touch(answer);
    else this.copy.drop(answer.name);
    this.save();
  }

  // A colleague saved this answer; nobody is to go on typing into the old text.
  refresh({ answer: name, mark, controls }) {
    const answer = this.answers.get(name);
    if (!answer || answer.changed || answer.choosing || answer.composing) return;
    const before = answer.text();
    answer.fill(controls);
    answer.mark = mark;
    answer.confirmed = answer.text();
    if (before !== answer.confirmed) this.say("fresh");
  }

  tellWriters(writers) {
    const place = document.querySelector("[data-writers]");
    const said = writers.join("；");
    if (place.textContent !== said) place.textContent = said;
  }

  // No answer: keep trying. Signed out: keep trying, and say where to sign in. Refused (too late, not allowed): say why and stop.
  failed(failure) {
    this.failures += 1;
    if (!this.unsaved().length) return;
    this.stopped = [400, 403, 404, 409, 422].includes(failure.status);
    if (failure.status === 401) this.say("signedOut", {}, document.querySelector("template[data-sign-in]"));
    else if (this.stopped) this.write(failure.message);
    else this.say(this.unkept ? "unkept" : "kept");
  }

  say(what, figures = {}, link = null) {
    this.write(this.sentences[what].replace(/\{(\w+)\}/g, (_all, name) => figures[name]), what, link);
  }

  write(sentence, what = "refused", link = null) {
    this.state.dataset.savingState = what;
    if (this.state.textContent !== sentence) this.state.textContent = sentence;
    if (link) this.state.append(" ", link.content.cloneNode(true));
  }
}

document.querySelectorAll("form[data-autosave]").forEach((form) => new Autosave(form));
