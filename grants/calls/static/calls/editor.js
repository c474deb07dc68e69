// The call editor, livelier: rows move without losing the place on the page, and the linter answers while one types.
// Without this file every button still works by sending the form.

const CHECK_AFTER = 800;
const form = document.querySelector(".gc-editor__form");

/** Send what is typed with an act; the answer as a document, or null when the connection is away (then nothing changes). */
async function send(act) {
  const body = new FormData(form);
  body.set("act", act);
  try {
    const answer = await fetch(window.location.href, { method: "POST", body, headers: { "X-Requested-With": "fetch" } });
    if (answer.redirected) {
      window.location.assign(answer.url);
      return null;
    }
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return null;
  }
}

/** Replace what the server says about each field; never a control, so that focus and an open input method stay. */
function refresh(page) {
  for (const fresh of page.querySelectorAll("[data-live]")) {
    const old = document.getElementById(fresh.id);
    if (old && old.innerHTML !== fresh.innerHTML) old.replaceChildren(...fresh.childNodes);
  }
}

/** Replace the whole form after a move, and put the reader where the moved element now is. */
function replace(page) {
  const fresh = page.querySelector(".gc-editor__form");
  if (!fresh) return;
  form.replaceChildren(...fresh.childNodes);
  refresh(page);
  const moved = fresh.dataset.moved && document.getElementById(`id-${fresh.dataset.moved.replaceAll(".", "-")}`);
  const first = moved && moved.querySelector("input:not([type=hidden]), select, textarea, button");
  if (first) first.focus();
}

let waiting = 0;
let asked = 0;

if (form) {
  form.addEventListener("submit", async (event) => {
    const act = event.submitter && event.submitter.value;
    if (!act || !act.includes(":") || form.dataset.plain) return; // saving is an ordinary submission
    event.preventDefault();
    const page = await send(act);
    if (page) replace(page);
  });
  form.addEventListener("input", (event) => {
    if (event.isComposing) return;
    window.clearTimeout(waiting);
    waiting = window.setTimeout(async () => {
      asked += 1;
      const mine = asked;
      const page = await send("check");
      if (page && mine === asked) refresh(page);
    }, CHECK_AFTER);
  });
}
