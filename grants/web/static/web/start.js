// Every page works without this file; it only makes the library's components livelier.
import { initAll } from "./govuk-frontend.min.js";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
initAll();

// What scrolls sideways can be scrolled by keyboard: it takes the focus as soon as there is something to scroll.
const scrollers = document.querySelectorAll(".gc-scroll, .gc-table, .gc-chart__scroll, [data-scroll]");
const reach = new ResizeObserver(() => {
  for (const box of scrollers) {
    const cut = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    if (cut && !box.hasAttribute("tabindex")) box.tabIndex = 0;
  }
});
for (const box of scrollers) {
  reach.observe(box);
  for (const part of box.children) reach.observe(part); // large type may overflow a box whose own size stays
}
