// Decimal arithmetic as Python's default context does it (28 significant digits, half to even), so that a rule judged here is judged there
// the same. A number is {n, e}: n × 10^e, n a BigInt. Nothing here is ever a float.

const MOST = 28;
const ten = (places) => 10n ** BigInt(places);
const size = (n) => (n < 0n ? -n : n);
const digits = (n) => String(size(n)).length;

// "-1200.50" → {n: -120050n, e: -2}; the text must be a plain number.
export function decimal(text) {
  const [whole, places = ""] = text.split(".");
  return { n: BigInt(whole + places), e: -places.length };
}

// q of n / unit, half to even. rest: something beyond n is not zero, so that a half is more than one.
function halfEven(n, unit, rest = false) {
  const [q, twice] = [size(n) / unit, (size(n) % unit) * 2n];
  const up = twice > unit || (twice === unit && (rest || q % 2n === 1n));
  return (n < 0n ? -1n : 1n) * (up ? q + 1n : q);
}

function rounded({ n, e }, rest = false) {
  const over = digits(n) - MOST;
  return over > 0 ? { n: halfEven(n, ten(over), rest), e: e + over } : { n, e };
}

const aligned = (a, b) => [a.n * ten(Math.max(0, a.e - b.e)), b.n * ten(Math.max(0, b.e - a.e)), Math.min(a.e, b.e)];

export function plus(a, b) {
  const [x, y, e] = aligned(a, b);
  return rounded({ n: x + y, e });
}

export function minus(a, b) {
  return plus(a, { n: -b.n, e: b.e });
}

export function times(a, b) {
  return rounded({ n: a.n * b.n, e: a.e + b.e });
}

// b must not be zero.
export function over(a, b) {
  const shift = Math.max(0, MOST + 2 + digits(b.n) - digits(a.n));
  const [whole, part] = [size(a.n) * ten(shift), size(b.n)];
  const q = (a.n < 0n === b.n < 0n ? 1n : -1n) * (whole / part);
  return rounded({ n: q, e: a.e - b.e - shift }, whole % part !== 0n);
}

// -1, 0 or 1; exact.
export function compare(a, b) {
  const [x, y] = aligned(a, b);
  return x < y ? -1 : Number(x > y);
}

export function isWhole({ n, e }) {
  return e >= 0 || n % ten(-e) === 0n;
}

// "12000" for a whole number.
export function whole({ n, e }) {
  return String(e >= 0 ? n * ten(e) : n / ten(-e));
}

// "1200.50", half to even; grouped: "1,200.50".
export function twoPlaces({ n, e }, grouped = false) {
  const fen = e >= -2 ? n * ten(e + 2) : halfEven(n, ten(-2 - e));
  const text = String(size(fen)).padStart(3, "0");
  const yuan = grouped ? text.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ",") : text.slice(0, -2);
  return `${n < 0n ? "-" : ""}${yuan}.${text.slice(-2)}`;
}
