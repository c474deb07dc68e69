// The running total beside the boxes. The server counts again; this only spares a look at a calculator.
const figure = (text) => {
  const plain = text.normalize("NFKC").replaceAll("。", ".").trim();
  return /^\d+(\.\d{1,2})?$/.test(plain) ? Math.round(Number(plain) * 100) : 0;
};

export function recount(place) {
  const boxes = place.querySelectorAll('input[data-mark], input[name^="mark_"]');
  if (!boxes.length) return; // handed in: the server's figure stands
  const hundredths = [...boxes].reduce((sum, box) => sum + figure(box.value), 0);
  const shown = place.querySelector("[data-sum]");
  if (shown) shown.textContent = String(hundredths / 100);
}

for (const place of document.querySelectorAll("[data-totals]")) {
  place.addEventListener("input", () => recount(place));
  recount(place);
}

for (const scale of document.querySelectorAll("[data-scale]")) {
  scale.hidden = false;
  scale.addEventListener("click", (event) => {
    const key = event.target.closest("[data-points]");
    if (!key) return;
    const box = scale.closest("[data-criterion]").querySelector('input[name^="mark_"]');
    box.value = key.dataset.points;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
