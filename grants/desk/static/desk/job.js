// A running job tells how far it is: the part marked [data-job] is fetched again every two seconds until it has ended, then the page once.
const part = document.querySelector("[data-job]");

async function look() {
  if (!part || part.dataset.running !== "yes") return;
  try {
    const answer = await fetch(part.dataset.job, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    if (!answer.ok || answer.redirected) return;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-job]");
    if (!found) return;
    part.replaceChildren(...found.childNodes);
    part.dataset.running = found.dataset.running;
    if (found.dataset.running !== "yes") {
      location.reload();
      return;
    }
  } catch {
    // the site is away for a moment: the job goes on without us, we ask again
  }
  setTimeout(look, 2000);
}

if (part) setTimeout(look, 1000);
