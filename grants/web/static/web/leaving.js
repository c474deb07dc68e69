// Signing out on a shared computer: nothing of the writer stays behind unless they say so. What the server has confirmed is not kept anyway;
// what it has not confirmed would be lost, so the person is asked first, on the page, and the button says what it does.
import { PREFIX } from "./local-copy.js";

const form = document.querySelector("[data-leaving]");

function kept() {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(`${PREFIX}:${form.dataset.leaving}:`));
  } catch {
    return []; // where nothing can be kept, nothing stays behind
  }
}

function ask() {
  const dialog = document.querySelector("[data-leaving-ask]");
  dialog.querySelector("[data-leaving-count]").textContent = String(kept().length);
  dialog.hidden = false;
  dialog.scrollIntoView({ block: "center" });
  dialog.querySelector("[data-leaving-stay]").focus();
}

// Drafts that only this browser has lie in a database of the writer's own (sealed bids).
function forget() {
  for (const key of kept()) localStorage.removeItem(key);
  globalThis.indexedDB?.deleteDatabase(`${PREFIX}:${form.dataset.leaving}`);
}

if (form) {
  const dialog = document.querySelector("[data-leaving-ask]");
  let decided = false;
  form.addEventListener("submit", (event) => {
    if (decided || !kept().length) return;
    event.preventDefault();
    ask();
  });
  dialog.querySelector("[data-leaving-stay]").addEventListener("click", () => {
    dialog.hidden = true;
    form.querySelector("button").focus();
  });
  for (const button of dialog.querySelectorAll("[data-leaving-go]")) {
    button.addEventListener("click", () => {
      if (button.dataset.leavingGo === "erase") forget();
      decided = true;
      form.requestSubmit();
    });
  }
}
