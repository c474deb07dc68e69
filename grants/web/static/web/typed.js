// What was typed into a form that is sent by a button stays with this tab's own history entry, so that Back finds it again: pages of signed-in people are
// `no-store`, and some browsers then forget it. It is in no store of the browser and ends with the tab; another person in the same tab does not get it.
// Forms that save by themselves have copies of their own.
const PAUSE = 400;
const NEVER = ["hidden", "password", "file", "submit", "button", "image", "reset"];
const who = document.querySelector("[data-leaving]")?.dataset.leaving;
const ours = "form[method='post' i]:not([data-autosave], [data-sealed], [data-leaving], #ballot)";
const ticked = (field) => field.type === "checkbox" || field.type === "radio";

function fields() {
  const typed = (field) => field.name && !NEVER.includes(field.type) && field.autocomplete !== "one-time-code";
  const controls = [...document.querySelectorAll(ours)].flatMap((form, place) =>
    [...form.elements].filter((field) => "value" in field && typed(field)).map((field) => [place, field]),
  );
  const seen = new Map();
  return controls.map(([place, field]) => {
    const name = `${place} ${field.name} ${ticked(field) ? field.value : ""}`;
    seen.set(name, (seen.get(name) ?? 0) + 1);
    return [`${name} ${seen.get(name)}`, field];
  });
}

// A list is kept by its choices; whatever stands as the server sent it is not kept.
function now(field) {
  if (ticked(field)) return field.checked;
  return field.options ? [...field.options].map((option) => option.selected) : field.value;
}
function sent(field) {
  if (ticked(field)) return field.defaultChecked;
  if (!field.options) return field.defaultValue;
  const chosen = [...field.options].map((option) => option.defaultSelected);
  if (!field.multiple && !chosen.includes(true) && chosen.length) chosen[0] = true;
  return chosen;
}
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function keep() {
  const typed = fields().filter(([, field]) => !same(now(field), sent(field))).map(([name, field]) => [name, now(field)]);
  try {
    history.replaceState({ ...history.state, typed: { who, typed } }, "");
  } catch {
    // too long, or too often: the browser's own memory has to do
  }
}

function put(field, value) {
  if (ticked(field)) field.checked = value === true;
  else if (!field.options) field.value = String(value);
  else for (const [n, option] of [...field.options].entries()) option.selected = value[n] === true;
  for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
}

// Only into what stands as the server sent it: a browser that remembers by itself was first.
function restore() {
  const kept = history.state?.typed;
  if (kept?.who !== who || performance.getEntriesByType("navigation")[0]?.type !== "back_forward") return;
  const typed = new Map(kept.typed);
  for (const [name, field] of fields()) if (typed.has(name) && same(now(field), sent(field))) put(field, typed.get(name));
}

if (who) {
  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(keep, PAUSE);
  };
  addEventListener("input", later);
  addEventListener("change", later);
  addEventListener("pagehide", keep);
  addEventListener("pageshow", restore, { once: true });
}
