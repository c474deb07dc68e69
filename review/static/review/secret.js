// 生成随机数: 32 bytes from the browser's own generator, put where the party can copy them. Nothing is sent until they press 确认.

const field = document.querySelector("[data-secret]");

function generate() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  field.value = Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  field.focus();
  field.select();
}

const button = document.createElement("button");
button.type = "button";
button.className = "govuk-button govuk-button--secondary";
button.textContent = field.dataset.secret;
button.addEventListener("click", generate);
field.after(document.createElement("br"), button);
