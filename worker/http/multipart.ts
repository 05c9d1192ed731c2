/** Parses `multipart/form-data` bodies: form fields and uploaded files. */
import { Busboy, type BusboyFileStream } from '@fastify/busboy';
import type { UploadedFile } from '../../shared/types.ts';
import { BadRequest } from './bad-request.ts';
import type { ParsedBody } from './body.ts';

const MAX_PARTS = 1000;

/** Rejects with BadRequest, and nothing else. */
export async function parseMultipart(contentType: string, bytes: Buffer): Promise<ParsedBody> {
  const boundary = boundaryOf(contentType);
  if (!boundary) throw new BadRequest(400, 'The content type names no multipart boundary.');
  // The parser has a limit of its own, but it works through the rest of the body, taking seconds for 10 MB of boundaries.
  if (countParts(bytes, boundary) > MAX_PARTS) throw new BadRequest(413, `More than ${MAX_PARTS} parts.`);
  return readParts(boundary, bytes).catch((error: unknown) => {
    throw new BadRequest(400, 'Body is not valid multipart/form-data.', { cause: error });
  });
}

function readParts(boundary: string, bytes: Buffer): Promise<ParsedBody> {
  return new Promise((resolve, reject) => {
    const fields = new Map<string, string | string[]>();
    const files: UploadedFile[] = [];
    const parser = new Busboy({
      headers: { 'content-type': `multipart/form-data; boundary="${boundary}"` },
      // The body is within its limit as a whole, so no part needs one.
      limits: { fieldSize: bytes.length },
    });
    parser.on('field', (name, value) => {
      if (name === undefined) reject(new Error('a field without a name'));
      addField(fields, name, value);
    });
    parser.on('file', (fieldname, stream, originalname, _encoding, mimetype) => {
      if (fieldname === undefined) reject(new Error('a file without a name'));
      const file = { fieldname, originalname: originalname ?? '', mimetype, size: 0, buffer: Buffer.alloc(0) };
      files.push(file);
      collect(stream, reject, (buffer) => Object.assign(file, { size: buffer.length, buffer }));
    });
    parser.on('error', reject);
    parser.on('finish', () => {
      const [file] = files;
      const parsed: ParsedBody = { body: Object.fromEntries(fields), rawBody: bytes, files };
      if (file && files.length === 1) parsed.file = file;
      resolve(parsed);
    });
    parser.end(bytes);
  });
}

/** Printable ASCII without quotes and backslashes, which the parser cannot read differently from `countParts`. */
function boundaryOf(contentType: string): string | undefined {
  const match = /;\s*boundary=(?:"([ !#-[\]-~]+)"|([!#-:<-[\]-~]+))/i.exec(contentType);
  return match?.[1] ?? match?.[2];
}

/** At least the number of parts; stops counting above the limit. */
function countParts(bytes: Buffer, boundary: string): number {
  const delimiter = `\r\n--${boundary}`;
  let count = 0;
  for (let at = bytes.indexOf(delimiter); at >= 0 && count <= MAX_PARTS; at = bytes.indexOf(delimiter, at + 1)) count++;
  return count;
}

function addField(fields: Map<string, string | string[]>, name: string, value: string): void {
  if (name === '__proto__') return;
  const earlier = fields.get(name);
  fields.set(name, earlier === undefined ? value : [...(Array.isArray(earlier) ? earlier : [earlier]), value]);
}

function collect(stream: BusboyFileStream, onError: (error: unknown) => void, onEnd: (buffer: Buffer) => void): void {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', onError);
  stream.on('end', () => onEnd(Buffer.concat(chunks)));
}
