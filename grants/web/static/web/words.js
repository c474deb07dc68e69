// 字数 as Word counts it; the same as grants/calls/rulebook/words.py, proven with the same samples (tests/vectors/words.json).

const CHINESE =
  "\\u2014\\u2018\\u2019\\u201c\\u201d\\u2026\\u2e80-\\u2fdf\\u3001-\\u4dbf\\u4e00-\\u9fff\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe30-\\ufe4f\\uff01-\\uffee\\u{20000}-\\u{3ffff}";
const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const TOKEN = new RegExp(`([${CHINESE}])|([^${SPACE}${CHINESE}]+(?:\\u2019[A-Za-z]+)*)`, "gu");
const LONGEST_WORD = 30;

// Each Chinese character or full-width mark is one, each run of anything else between spaces is one (a very long run: one for every
// started 30 characters).
export function countWords(text) {
  let n = 0;
  for (const [, one, run] of text.matchAll(TOKEN)) n += one ? 1 : Math.ceil([...run].length / LONGEST_WORD);
  return n;
}
