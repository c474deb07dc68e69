// Name, size and SHA-256 of a chosen file, worked out here: the file itself is not sent. Without this script they are typed.
const form = document.querySelector("[data-declare]");
const pick = form?.querySelector("[data-declare-pick]");

async function fill(file) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  form.elements.name.value = file.name;
  form.elements.size.value = String(file.size);
  form.elements.sha256.value = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

if (pick && globalThis.crypto?.subtle) {
  pick.hidden = false;
  const input = pick.querySelector("input");
  input.addEventListener("change", () => input.files.length && fill(input.files[0]));
}
