// The page 查验回执: shows the button that checks here, reads the file or the pasted text, says what held. Nothing is sent anywhere.
import { check } from "./receipt.js";
import { receiptIn } from "./receipt-pdf.js";

const place = document.getElementById("receipt-result");
const form = document.getElementById("receipt-form");
const here = document.getElementById("receipt-here");

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function show(title, good, lines, about) {
  const box = element("div", `govuk-notification-banner${good ? " govuk-notification-banner--success" : ""}`, "");
  const head = element("div", "govuk-notification-banner__header", "");
  head.append(element("h2", "govuk-notification-banner__title", title));
  const body = element("div", "govuk-notification-banner__content", "");
  const list = element("ul", "govuk-list govuk-list--bullet", "");
  list.append(...lines.map((line) => element("li", "", line)));
  body.append(list);
  for (const [name, value] of Object.entries(about || {})) body.append(element("p", "govuk-body-s gc-hash", `${name}: ${value}`));
  box.append(head, body);
  place.replaceChildren(box);
  box.tabIndex = -1;
  box.focus();
}

async function answer() {
  const file = form.elements.file.files[0];
  const text = file ? await receiptIn(file) : form.elements.text.value;
  const words = place.dataset;
  if (!text.trim()) return show(words.titleBad, false, [words.empty]);
  const given = form.elements.key.value.trim();
  const found = await check(text, (given || words.keys).split("\n"));
  const lines = found.steps.map((step) => words[step]);
  if (found.bad) return show(words.titleBad, false, [...lines, words[`bad${found.bad[0].toUpperCase()}${found.bad.slice(1)}`]]);
  if (found.unsigned) return show(words.titleHalf, false, [words.unsigned, ...lines], found.about);
  return show(words.titleOk, true, lines, found.about);
}

if (globalThis.crypto && crypto.subtle) {
  here.hidden = false;
  document.getElementById("receipt-server").classList.add("govuk-button--secondary");
  here.addEventListener("click", answer);
}
