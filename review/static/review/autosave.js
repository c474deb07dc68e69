// Every change is on the server within two seconds, and in this browser until the server has confirmed it.
// Signing out asks about it and erases it, as all that only this browser has.
import { PREFIX } from "../web/local-copy.js";

const form = document.getElementById("ballot");
const said = form.querySelector("[data-said]");
const writer = document.querySelector("[data-leaving]").dataset.leaving;
const before = `ballot/${form.dataset.keyOf}`; // as it was called by older programs
const here = `${PREFIX}:${writer}:${before}`;
const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
const PAUSE = 1200;
const AGAIN = 5000;
let timer = 0;
let sending = false;
let dirty = false;

const fields = () =>
  Object.fromEntries([...new FormData(form)].filter(([name]) => /^(mark_|comment_|panel_|note$)/.test(name)));

function keep() {
  try {
    localStorage.setItem(here, JSON.stringify({ base: form.elements.base.value, fields: fields() }));
  } catch {
    // a browser that keeps nothing still saves to the server
  }
}

function later(pause) {
  clearTimeout(timer);
  timer = setTimeout(send, pause);
}

function showOther(clashes, words = form.dataset.other) {
  for (const [name, text] of Object.entries(clashes)) {
    const box = form.elements[name];
    let note = document.getElementById(`other-${name}`);
    if (!note) {
      note = document.createElement("p");
      note.id = `other-${name}`;
      note.className = "govuk-inset-text";
      box.after(note);
    }
    note.textContent = words + (text || "—");
    const folded = box.closest("details");
    if (folded) folded.open = true;
  }
}

async function send(options = {}) {
  if (sending || !dirty) return;
  sending = true;
  dirty = false;
  const sent = fields();
  try {
    const answer = await fetch(form.dataset.draft, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token },
      body: JSON.stringify({ base: form.elements.base.value, fields: sent }),
      redirect: "error",
      ...options,
    });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.refused);
    form.elements.base.value = told.number;
    said.textContent = told.said;
    for (const [name, text] of Object.entries(told.fields)) if (form.elements[name]?.value === sent[name]) form.elements[name].value = text;
    showOther(told.clashes);
    if (!dirty) localStorage.removeItem(here);
  } catch {
    dirty = true;
    said.textContent = form.dataset.offline;
    later(AGAIN);
  } finally {
    sending = false;
    if (dirty) later(AGAIN);
  }
}

form.addEventListener("input", () => {
  dirty = true;
  keep();
  later(PAUSE);
});
// The form's own save carries everything; what the browser kept is dropped when the next page shows that it arrived.
form.addEventListener("submit", () => {
  clearTimeout(timer);
  sending = true;
});
addEventListener("online", () => send());
addEventListener("pagehide", () => send({ keepalive: true }));

function moved() {
  const old = localStorage.getItem(before);
  if (old === null) return;
  if (localStorage.getItem(here) === null) localStorage.setItem(here, old);
  localStorage.removeItem(before);
}

function restore() {
  moved();
  const text = localStorage.getItem(here);
  if (!text) return;
  const kept = JSON.parse(text);
  const differs = Object.entries(kept.fields).filter(([name, value]) => form.elements[name] && form.elements[name].value !== value);
  if (!differs.length) {
    localStorage.removeItem(here);
    return;
  }
  if (kept.base !== form.elements.base.value) {
    showOther(Object.fromEntries(differs), form.dataset.local); // the server knows something newer: both are shown
    localStorage.removeItem(here);
    return;
  }
  for (const [name, value] of differs) form.elements[name].value = value;
  said.textContent = form.dataset.restored;
  dirty = true;
  form.dispatchEvent(new Event("input", { bubbles: true }));
}

try {
  restore();
} catch {
  localStorage.removeItem(here);
}
