// Reads the text files of a .tgz, as npm packs them (ustar).
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

// A map from path (without npm's leading `package/`) to text, of the files whose path `wanted` says yes to.
export function read_package(file, wanted) {
  const bytes = gunzipSync(readFileSync(file));
  const text = (at, length) => bytes.toString("utf8", at, at + length).replace(/\0.*$/s, "");
  const files = new Map();
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const size = parseInt(text(at + 124, 12), 8);
    const type = String.fromCharCode(bytes[at + 156]);
    if (!Number.isFinite(size)) throw new Error(`${file}: not a tar archive at byte ${at}`);
    if (type === "x" || type === "L") throw new Error(`${file}: a long name at byte ${at}, which this reader does not know`);
    const prefix = text(at + 345, 155);
    const path = ((prefix && prefix + "/") + text(at, 100)).replace(/^[^/]*\//, "");
    if ((type === "0" || type === "\0") && wanted(path)) files.set(path, bytes.toString("utf8", at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}
