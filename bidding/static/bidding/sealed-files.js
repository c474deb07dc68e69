// Whether a file would be accepted, before it is sealed: afterwards nobody can look until the opening. The same limits as
// grants/documents/inspection.py, as far as names, sizes and first and last bytes go; what is inside is inspected when it is opened.

const LONGEST_NAME = 150;
const TAIL = 2048;
const ODD = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const OLE = [0xd0, 0xcf, 0x11, 0xe0];
const STARTS = { jpg: [0xff, 0xd8, 0xff], png: [0x89, 0x50, 0x4e, 0x47], docx: [0x50, 0x4b, 3, 4], xlsx: [0x50, 0x4b, 3, 4] };

const begins = (bytes, wanted) => wanted.every((byte, i) => bytes[i] === byte);
const latin = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

export function plainName(name) {
  return name.normalize("NFC").replaceAll("\\", "/").split("/").pop().trim();
}

// The rule that a file breaks, or "": name, long, empty, large, type, disguised, password. item: {kinds: [{key, extensions}], most}.
export async function unfit(file, item) {
  const name = plainName(file.name);
  if (!name || name.startsWith(".") || ODD.test(name)) return "name";
  if ([...name].length > LONGEST_NAME) return "long";
  if (!file.size) return "empty";
  if (file.size > item.most) return "large";
  const extension = name.includes(".") ? name.split(".").pop().toLowerCase() : "";
  const kind = item.kinds.find(({ extensions }) => extensions.includes(extension));
  return kind ? disguised(file, kind.key) : "type";
}

async function disguised(file, kind) {
  const head = new Uint8Array(await file.slice(0, 1024).arrayBuffer());
  if (STARTS[kind]) return begins(head, STARTS[kind]) ? "" : begins(head, OLE) ? "password" : "disguised";
  if (kind !== "pdf") return "";
  const tail = latin(new Uint8Array(await file.slice(-TAIL).arrayBuffer()));
  const whole = /^%PDF-[12]\.\d/.test(latin(head)) && tail.includes("%%EOF") && tail.includes("startxref");
  return whole ? "" : "disguised";
}
