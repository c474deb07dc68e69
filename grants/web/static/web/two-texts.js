// Both texts of one answer, and the choice between them. Neither is lost before somebody has chosen.

export function offer(answer, clash, decided) {
  answer.box.querySelector("[data-two-texts-panel]")?.remove();
  const panel = document.querySelector("template[data-two-texts]").content.firstElementChild.cloneNode(true);
  panel.dataset.twoTextsPanel = "";
  panel.setAttribute("aria-label", clash.said);
  panel.querySelector("[data-said]").textContent = clash.said;
  panel.querySelector("[data-mine]").textContent = answer.words();
  panel.querySelector("[data-theirs]").textContent = clash.theirs;
  panel.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-keep]")?.dataset.keep;
    if (!choice) return;
    panel.remove();
    answer.choosing = false;
    answer.mark = clash.mark;
    if (choice === "theirs") {
      answer.fill(clash.controls);
      answer.confirmed = answer.text();
    }
    decided(answer);
  });
  const first = answer.markInput.parentElement === answer.box ? answer.markInput : answer.box.firstElementChild;
  first.before(panel);
  answer.choosing = true;
}
