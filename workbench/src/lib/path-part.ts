/** Names as parts of paths, of this page and of the admin API: any text, although a path cannot have every one. Pure. */

/** What every path can have, and nothing decodes on its way. */
const PLAIN = /^(?!\.{1,2}$)[\w.:@~-]+$/;
const SAFE = /^[A-Za-z0-9_-]$/;

/** A name as part of a path: as it is if a path can have it, else by its bytes after a `=`, as the admin API takes it. */
export function toPart(name: string): string {
  if (PLAIN.test(name)) return name;
  const bytes = [...new TextEncoder().encode(name)];
  if (bytes.length === 0) return '=';
  // The first one is written as a byte in any case: the = says which form this is.
  return bytes
    .map((byte, at) => (at > 0 && SAFE.test(String.fromCharCode(byte)) ? charOf(byte) : hexOf(byte)))
    .join('');
}

/** The name of such a part; what is none stays as it is. */
export function fromPart(part: string): string {
  if (!part.startsWith('=')) return part;
  const bytes = [...part.matchAll(/=([0-9A-F]{2})|([^=])/g)].map(([, hex, char]) =>
    hex === undefined ? (char as string).charCodeAt(0) : Number.parseInt(hex, 16),
  );
  return new TextDecoder().decode(new Uint8Array(bytes));
}

const charOf = (byte: number) => String.fromCharCode(byte);
const hexOf = (byte: number) => `=${byte.toString(16).padStart(2, '0').toUpperCase()}`;
