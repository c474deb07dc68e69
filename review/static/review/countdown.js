// The clock on the wall: counts down by itself, asks the server every few seconds, loads the page anew when something moved.
const place = document.querySelector("[data-clock]");
const ASK = 3000;

if (place) {
  const shown = place.querySelector("[data-shown]");
  let ends = performance.now() + Number(place.dataset.left) * 1000;

  const show = () => {
    if (!shown) return;
    const left = Math.round((ends - performance.now()) / 1000);
    const rest = Math.abs(left);
    const figures = `${Math.floor(rest / 60)}:${String(rest % 60).padStart(2, "0")}`;
    shown.textContent = left < 0 ? `${place.dataset.over} +${figures}` : figures;
    place.classList.toggle("gc-clock--over", left < 0);
    place.classList.toggle("gc-clock--last", left >= 0 && left <= 60);
  };

  const ask = async () => {
    try {
      const answer = await fetch(place.dataset.clock, { redirect: "error" });
      const told = await answer.json();
      if (told.stamp !== place.dataset.stamp) {
        location.reload();
        return;
      }
      ends = performance.now() + told.left * 1000;
    } catch {
      // the network is away: the clock goes on by itself
    }
    setTimeout(ask, ASK);
  };

  show();
  setInterval(show, 250);
  setTimeout(ask, ASK);
}
