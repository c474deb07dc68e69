// 投标留存包 as a ZIP: manifest.json and attachments/<name>. Written without packing (attachments are packed already), read packed or not.

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const UTF8 = 0x0800;
const VERSION = 20;
const DAY = (1 << 5) | 1; // 1980-01-01: the same content makes the same file
const MOST_ENTRIES = 500;
const MOST_BYTES = 1024 * 1024 * 1024;

export class NotAZip extends Error {}

const TABLE = Uint32Array.from({ length: 256 }, (_none, n) => {
  for (let bit = 0; bit < 8; bit += 1) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

export function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

// Little-endian fields: [[width in bytes, value], …].
function record(fields) {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [width]) => sum + width, 0)));
  let at = 0;
  for (const [width, value] of fields) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += width;
  }
  return new Uint8Array(view.buffer);
}

const common = ({ crc, size, label }) => [
  [2, VERSION], [2, UTF8], [2, 0], [2, 0], [2, DAY], [4, crc], [4, size], [4, size], [2, label.length], [2, 0],
];

// entries: [[name, Blob or bytes], …]; a Blob.
export async function writeZip(entries) {
  const [parts, directory] = [[], []];
  let at = 0;
  for (const [name, content] of entries) {
    const bytes = content instanceof Uint8Array ? content : new Uint8Array(await content.arrayBuffer());
    const row = { crc: crc32(bytes), size: bytes.length, label: new TextEncoder().encode(name) };
    const head = record([[4, LOCAL], ...common(row)]);
    directory.push(record([[4, CENTRAL], [2, VERSION], ...common(row), [2, 0], [2, 0], [2, 0], [4, 0], [4, at]]), row.label);
    parts.push(head, row.label, bytes);
    at += head.length + row.label.length + bytes.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const count = entries.length;
  const end = record([[4, END], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, at], [2, 0]]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

// [[name, bytes], …] of a ZIP. Throws NotAZip: no ZIP, damaged, too large unpacked, or made in a way this cannot read.
export async function readZip(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const view = new DataView(bytes.buffer);
  try {
    const rows = directoryOf(view, bytes);
    const entries = [];
    for (const row of rows) if (!row.name.endsWith("/")) entries.push([row.name, await contentOf(row, view, bytes)]);
    return entries;
  } catch (wrong) {
    throw wrong instanceof NotAZip ? wrong : new NotAZip(String(wrong));
  }
}

function directoryOf(view, bytes) {
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== END) end -= 1;
  if (end < 0) throw new NotAZip("no directory");
  const count = view.getUint16(end + 10, true);
  if (count > MOST_ENTRIES) throw new NotAZip("too many entries");
  const rows = [];
  for (let at = view.getUint32(end + 16, true); rows.length < count; ) {
    if (view.getUint32(at, true) !== CENTRAL) throw new NotAZip("directory");
    const [label, extra, remark] = [28, 30, 32].map((place) => view.getUint16(at + place, true));
    const [crc, packed, size] = [16, 20, 24].map((place) => view.getUint32(at + place, true));
    const name = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(at + 46, at + 46 + label));
    rows.push({ name, method: view.getUint16(at + 10, true), crc, packed, size, offset: view.getUint32(at + 42, true) });
    at += 46 + label + extra + remark;
  }
  if (rows.reduce((sum, row) => sum + row.size, 0) > MOST_BYTES) throw new NotAZip("too large");
  return rows;
}

async function contentOf({ name, method, crc, packed, size, offset }, view, bytes) {
  if (view.getUint32(offset, true) !== LOCAL) throw new NotAZip(name);
  const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  const stored = bytes.subarray(start, start + packed);
  const content = method === 0 ? stored : method === 8 ? await inflated(stored, size, name) : null;
  if (!content || content.length !== size || crc32(content) !== crc) throw new NotAZip(name);
  return content;
}

// Unpacked, and never more than the directory says: a packed file may grow a thousandfold.
async function inflated(stored, size, name) {
  const reader = new Blob([stored]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const content = new Uint8Array(size);
  for (let at = 0; ; ) {
    const piece = await reader.read();
    if (piece.done) return content;
    if (at + piece.value.length > size) throw new NotAZip(name);
    content.set(piece.value, at);
    at += piece.value.length;
  }
}
