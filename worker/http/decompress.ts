/** Undoes the `content-encoding` of request bodies. */
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { BadRequest } from './bad-request.ts';

type Decoder = (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const DECODERS: ReadonlyMap<string, Decoder> = new Map([
  ['gzip', promisify(gunzip) as Decoder],
  ['x-gzip', promisify(gunzip) as Decoder],
  ['deflate', promisify(inflate) as Decoder],
  ['br', promisify(brotliDecompress) as Decoder],
]);

/**
 * `encoding` is one lower-cased coding; `limit` is the largest result in bytes.
 *
 * Rejects with BadRequest, and nothing else.
 */
export async function decompress(encoding: string, bytes: Buffer, limit: number): Promise<Buffer> {
  const decode = DECODERS.get(encoding);
  if (!decode) throw new BadRequest(415, `Content encoding ${encoding} is not supported.`);
  try {
    return await decode(bytes, { maxOutputLength: limit });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new BadRequest(413, `Body is larger than ${limit} bytes when decompressed.`, { cause: error });
    }
    throw new BadRequest(400, `Body is not valid ${encoding} data.`, { cause: error });
  }
}
