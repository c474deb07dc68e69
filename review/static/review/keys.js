// Single-letter keys for the queue and the sheet. Loaded only for experts who have not switched them off (WCAG 2.1.4).
const criteria = [...document.querySelectorAll("[data-criterion]")];
const form = document.getElementById("ballot");

// An input method composes, or something is being typed: the letters belong to the text.
const composing = (event) => event.isComposing || event.keyCode === 229;
const typing = (target) => target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]") !== null;

const current = () => criteria.find((each) => each === document.activeElement) ?? null;

function move(step, event) {
  const at = criteria.indexOf(current());
  const next = criteria[at + step];
  if (at < 0 || !next) return;
  event.preventDefault();
  next.focus();
}

function mark(digit) {
  const place = current() ?? criteria[0];
  if (!place) return;
  place.focus();
  const box = place.querySelector('input[name^="mark_"]');
  const key = place.querySelector(`[data-digit="${digit}"]`);
  box.value = digit === "0" ? "0" : key.dataset.points;
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

// To the bidder or to the panel: two boxes, two keys, so that no word goes to the wrong reader.
function write(kind) {
  const place = current() ?? criteria[0];
  const box = place?.querySelector(`textarea[name^="${kind}_"]`);
  if (!box) return;
  place.querySelector("details.gc-words").open = true;
  box.focus();
}

function help() {
  const keys = document.getElementById("keys");
  if (!keys) return;
  keys.open = !keys.open;
  if (keys.open) keys.querySelector("summary").focus();
}

const press = (letter) => document.querySelector(`[data-key="${letter}"]`)?.click();
const single = {
  "?": help,
  c: () => write("comment"),
  p: () => write("panel"),
  Enter: () => current()?.querySelector('input[name^="mark_"]').focus(),
};

document.addEventListener("keydown", (event) => {
  if (composing(event)) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && form) {
    event.preventDefault();
    form.requestSubmit(form.querySelector('[name="do"][value="next"]'));
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && event.target.closest("[data-criterion]")) {
    event.target.closest("[data-criterion]").focus();
    return;
  }
  if (typing(event.target)) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === "Tab") move(event.shiftKey ? -1 : 1, event);
  else if (/^[0-5]$/.test(key) && criteria.length && form) take(event, () => mark(key));
  else if (key === "Enter" && !current()) return;
  else if (single[key]) take(event, single[key]);
  else if ("jksr".includes(key) && key.length === 1) take(event, () => press(key));
});

function take(event, act) {
  event.preventDefault();
  act();
}

// The keyboard begins where the work is: the first criterion without a mark.
const first = criteria.find((each) => !each.querySelector('input[name^="mark_"]').value) ?? criteria[0];
if (first && !location.hash && document.activeElement === document.body) first.focus({ preventScroll: true });
