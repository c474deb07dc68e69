// The signed file inside a printed receipt (PDF/A-3): found among the embedded files, inflated by the browser. Nothing is sent anywhere.

const FORMAT = '"gongchuang-receipt/1"';

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Every embedded file of a PDF, as bytes. A PDF is read as Latin-1: one character a byte, so places in the text are places in the file. */
async function* embedded(bytes) {
  const text = new TextDecoder("latin1").decode(bytes);
  for (const found of text.matchAll(/<<[^]{0,600}?\/EmbeddedFile\b[^]{0,600}?stream\r?\n/g)) {
    const length = found[0].match(/\/Length (\d+)(?! \d+ R)/);
    if (!length) continue;
    const start = found.index + found[0].length;
    const raw = bytes.slice(start, start + Number(length[1]));
    try {
      yield found[0].includes("/FlateDecode") ? await inflated(raw) : raw;
    } catch {
      continue; // not what its dictionary says: not a receipt
    }
  }
}

/** The text of a receipt: the file's own, or that of the file inside a PDF; "" when a PDF carries none. */
export async function receiptIn(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (new TextDecoder("latin1").decode(bytes.slice(0, 4)) !== "%PDF") return new TextDecoder().decode(bytes);
  for await (const content of embedded(bytes)) {
    const text = new TextDecoder().decode(content);
    if (text.includes(FORMAT)) return text;
  }
  return "";
}
