// 带入: answers that the organisation has given before, put where a new draft is blank and marked until somebody confirms or changes them.
// The marks are part of the draft; the server never learns what became of them.

const plain = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

// What is written in an answer, whatever the number of its rows.
function contentOf(answer) {
  const shown = answer.controls().filter((c) => c.type !== "hidden" && (!["checkbox", "radio"].includes(c.type) || c.checked));
  return JSON.stringify(shown.filter(({ value }) => value.trim()).map(({ name, value }) => [name, value]));
}

export class Carried {
  // answers: of the page, as yet blank. offered: [{answer, label, told, pairs}, …]. changed(): called when one is confirmed.
  constructor(answers, offered, said, changed) {
    Object.assign(this, { said, changed });
    this.waits = { __proto__: null }; // answer → its content as it was carried over
    this.offers = offered.map((offer) => ({ ...offer, written: answers.find(({ name }) => name === offer.answer) })).filter(({ written }) => written);
    for (const offer of this.offers) {
      offer.blank = contentOf(offer.written);
      for (const name of ["input", "change"]) offer.written.box.addEventListener(name, () => this.show(offer));
    }
  }

  // Fill what is blank; how many were filled. What somebody has written stays.
  prefill() {
    const blank = this.offers.filter((offer) => contentOf(offer.written) === offer.blank);
    for (const offer of blank) {
      offer.written.fill(offer.pairs.map((pair) => [...pair]));
      this.waits[offer.answer] = contentOf(offer.written);
      this.show(offer);
    }
    return blank.length;
  }

  // The marks of a draft that was read in; it may come from anybody.
  take(waits) {
    const known = plain(waits) ? this.offers.filter(({ answer }) => typeof waits[answer] === "string") : [];
    this.waits = { __proto__: null, ...Object.fromEntries(known.map(({ answer }) => [answer, waits[answer]])) };
    this.offers.forEach((offer) => this.show(offer));
  }

  isWaiting({ answer, written }) {
    return this.waits[answer] !== undefined && this.waits[answer] === contentOf(written);
  }

  // [{label, place}, …] of what was neither confirmed nor changed.
  waiting() {
    return this.offers.filter((offer) => this.isWaiting(offer)).map((offer) => ({ label: offer.label, place: this.placeOf(offer) }));
  }

  placeOf({ answer }) {
    return `carried-${answer}`;
  }

  show(offer) {
    if (!this.isWaiting(offer)) offer.mark?.remove();
    else if (!offer.mark?.isConnected) offer.written.box.before((offer.mark = this.markOf(offer)));
  }

  markOf(offer) {
    const made = (kind, className, textContent) => Object.assign(document.createElement(kind), { className, textContent });
    const line = made("p", "govuk-body gc-carried", "");
    const button = Object.assign(made("button", "gc-link-button", this.said.carried_sound), { type: "button", id: this.placeOf(offer) });
    button.setAttribute("aria-label", `${this.said.carried_sound}：${offer.label}`);
    button.addEventListener("click", () => this.confirm(offer));
    line.append(made("strong", "govuk-tag govuk-tag--yellow", this.said.carried_tag), " ", made("span", "gc-grey", offer.told), " ", button);
    return line;
  }

  confirm(offer) {
    delete this.waits[offer.answer];
    this.show(offer);
    offer.written.controls().find(({ type }) => type !== "hidden")?.focus();
    this.changed();
  }
}
