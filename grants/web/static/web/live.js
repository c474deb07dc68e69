// What htmx exchanges without loading a page. Pages may carry hx- attributes; without this file and htmx they work as plain links and forms.
const says = document.getElementById("live");
const plainly = (event) => event.detail.requestConfig?.boosted; // a link or a form of the page itself, not a partial of some stage

// A signed-out session answers with the sign-in page: go there instead of emptying the table.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { target, serverResponse, xhr } = event.detail;
  if (plainly(event) && target.id && !serverResponse.includes(`id="${target.id}"`)) {
    event.detail.shouldSwap = false;
    window.location.assign(xhr.responseURL);
  }
});

// Read out what changed: new content is not announced by itself.
document.body.addEventListener("htmx:afterSettle", (event) => {
  const sentence = document.getElementById(event.detail.target.id)?.querySelector("[data-announce]");
  if (sentence && says) says.textContent = sentence.textContent;
});

// The line is down or the server failed: do what the link or form would have done without us.
for (const failure of ["htmx:sendError", "htmx:responseError"]) {
  document.body.addEventListener(failure, (event) => {
    if (plainly(event) && event.detail.requestConfig.verb === "get") window.location.assign(event.detail.pathInfo.finalRequestPath);
  });
}
