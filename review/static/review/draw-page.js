// The page that repeats a draw: loads the published transcript or takes one pasted or chosen, shows every step, and tests itself first.

import { check, selfTest, verify } from "./draw.js";

const box = document.querySelector("[data-draw-check]");
const words = box.dataset;
const find = (name) => box.querySelector(name);
const [text, file, button, verdict] = [find("#draw-text"), find("#draw-file"), find("[data-run]"), find("[data-verdict]")];
const nameOf = (step) => box.querySelector(`[data-step="${step}"]`)?.textContent ?? step;

function cell(kind, content, ...classes) {
  const made = document.createElement(kind);
  made.className = kind === "th" ? "govuk-table__header" : "govuk-table__cell";
  made.classList.add(...classes);
  made.textContent = content;
  if (kind === "th") made.scope = "row";
  return made;
}

function row({ step, ok, where, said }) {
  const made = document.createElement("tr");
  made.className = "govuk-table__row";
  made.dataset.result = ok ? "ok" : "fail";
  const result = cell("td", "");
  const tag = document.createElement("strong");
  tag.className = ok ? "govuk-tag govuk-tag--green" : "govuk-tag govuk-tag--red";
  tag.textContent = ok ? "OK" : "FAIL";
  result.append(tag);
  made.append(cell("th", nameOf(step)), result, cell("td", where ? `${words.place} ${where}：${said}` : said, "gc-break"));
  return made;
}

function tell(sentence, good) {
  verdict.replaceChildren();
  const strong = document.createElement("strong");
  strong.textContent = sentence;
  verdict.append(strong);
  verdict.dataset.good = good;
}

async function run() {
  find("[data-table]").hidden = true;
  find("[data-steps]").replaceChildren();
  let document_;
  try {
    document_ = JSON.parse(text.value);
    check(document_);
  } catch (wrong) {
    tell(`${words.refused}${wrong.message}`, false);
    return;
  }
  const steps = await verify(document_);
  find("[data-steps]").append(...steps.map(row));
  find("[data-table]").hidden = false;
  const good = steps.every((step) => step.ok);
  tell(good ? words.allOk : words.notOk, good);
}

async function testSelf() {
  const answer = await fetch(words.vectors);
  const { asked, failed } = await selfTest(await answer.json());
  find("[data-self]").textContent = failed.length ? `${words.selfBad}${failed.join("、")}` : `${words.selfOk} ${asked}。`;
  find("[data-self]").dataset.failed = failed.length;
}

async function begin() {
  find("[data-needs-script]").hidden = false;
  find("[data-without-script]").hidden = true;
  if (!globalThis.crypto?.subtle) {
    tell(words.noCrypto, false);
    button.disabled = true;
    return;
  }
  button.addEventListener("click", run);
  file?.addEventListener("change", async () => {
    text.value = file.files.length ? await file.files[0].text() : "";
    if (text.value) await run();
  });
  await testSelf();
  if (words.source) {
    const answer = await fetch(words.source);
    if (!answer.ok) return tell(words.unread, false);
    text.value = await answer.text();
  }
  box.dataset.ready = "yes";
}

begin();
