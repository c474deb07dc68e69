// Amounts as whole fen in BigInt: 0.1 + 0.2 is 0.3 here, as it is for grants/money.py. Full-width digits, separators, ¥ and 元 are read.

const HUNDRED = 100n;

// "１，２００．５０ 元" → 120050n; null for what is no number of at most two places.
export function hundredths(text) {
  const tidy = text.normalize("NFKC").replace(/[\s,、¥元]/g, "");
  const found = /^(\d+)(?:\.(\d{0,2})0*)?$/.exec(tidy);
  return found && BigInt(found[1]) * HUNDRED + BigInt((found[2] ?? "").padEnd(2, "0"));
}

// Price and quantity in hundredths → fen, rounded half up.
export function product(price, quantity) {
  return (price * quantity + 50n) / HUNDRED;
}

// A share in per cent ("33.33") of fen: down for a maximum, up for a minimum.
export function part(fen, share, up) {
  const [whole, places = ""] = share.split(".");
  const over = HUNDRED * 10n ** BigInt(places.length);
  const exact = fen * BigInt(whole + places);
  return up ? (exact + over - 1n) / over : exact / over;
}

export function yuan(fen) {
  const digits = String(fen).padStart(3, "0");
  return `¥${digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ",")}.${digits.slice(-2)}`;
}
