// Every page works without this file; it only makes the library's components livelier.
import { initAll } from "./govuk-frontend.min.js";

// What every object inherits gains nothing on our pages, whatever a file or an answer calls its parts (prototype pollution).
for (const kind of [Object, Array, Function, String, Number, Map, Set, Promise, RegExp]) Object.preventExtensions(kind.prototype);

document.body.classList.add("js-enabled", "govuk-frontend-supported");
initAll();

// What scrolls sideways can be scrolled by keyboard: it takes the focus as soon as there is something to scroll.
const scrollers = document.querySelectorAll(".gc-scroll, .gc-table, .gc-chart__scroll, [data-scroll]");
function giveReach() {
  for (const box of scrollers) {
    const cut = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    if (cut && !box.hasAttribute("tabindex")) box.tabIndex = 0;
  }
}
giveReach(); // an observer is first told after the next frame; on a busy machine a key may come before it
const reach = new ResizeObserver(giveReach);
for (const box of scrollers) {
  reach.observe(box);
  for (const part of box.children) reach.observe(part); // large type may overflow a box whose own size stays
}
