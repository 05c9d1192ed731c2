/** Takes one file out of a zip or tar.gz that was read into memory and whose checksum was verified before. */
import { gunzipSync, inflateRawSync } from 'node:zlib';

const ZIP_END = 0x06054b50;
const ZIP_ENTRY = 0x02014b50;
const ZIP_STORED = 0;
const TAR_BLOCK = 512;

/**
 * The content of the first file whose path ends with `suffix`.
 *
 * @throws Error when there is none.
 */
export function fileFromZip(zip: Buffer, suffix: string): Buffer {
  const signature = Buffer.alloc(4);
  signature.writeUInt32LE(ZIP_END);
  const end = zip.lastIndexOf(signature);
  if (end < 0) throw new Error('not a zip archive');
  let at = zip.readUInt32LE(end + 16);
  while (zip.readUInt32LE(at) === ZIP_ENTRY) {
    const nameLength = zip.readUInt16LE(at + 28);
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength);
    if (name.endsWith(suffix)) return zipContent(zip, at);
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  throw new Error(`the archive has no ${suffix}`);
}

/** @param entry offset of the file's entry in the central directory. */
function zipContent(zip: Buffer, entry: number): Buffer {
  const method = zip.readUInt16LE(entry + 10);
  const size = zip.readUInt32LE(entry + 20);
  const header = zip.readUInt32LE(entry + 42);
  const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
  const content = zip.subarray(start, start + size);
  return method === ZIP_STORED ? content : inflateRawSync(content);
}

/** The same for a tar.gz. */
export function fileFromTarGz(archive: Buffer, suffix: string): Buffer {
  const tar = gunzipSync(archive);
  for (let at = 0; at + TAR_BLOCK <= tar.length; ) {
    const name = tar.toString('utf8', at, at + 100).replace(/\0.*$/s, '');
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 136), 8) || 0;
    const start = at + TAR_BLOCK;
    if (name.endsWith(suffix)) return tar.subarray(start, start + size);
    at = start + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
  }
  throw new Error(`the archive has no ${suffix}`);
}
