/** Reversible, readable encoding of any string as one token of a broker subject, KV key or consumer name. */
import { createHash } from 'node:crypto';

const SAFE = /^[A-Za-z0-9_-]+$/;
const LONGEST = 120;
const KEPT = 80;

/**
 * Encodes a name as one subject token: letters, digits, `_` and `-` stay, every other UTF-8 byte becomes `=XX`, the
 * empty string becomes `=`. A result over 120 characters is cut to its first 80, `=-` and 16 hex digits of the sha256
 * of the whole: then {@link decodeToken} gives no name back.
 */
export function encodeToken(name: string): string {
  if (name.length <= LONGEST && SAFE.test(name)) return name;
  if (name === '') return '=';
  let encoded = '';
  for (const byte of Buffer.from(name, 'utf8')) {
    const char = String.fromCharCode(byte);
    encoded += SAFE.test(char) ? char : `=${byte.toString(16).padStart(2, '0').toUpperCase()}`;
  }
  if (encoded.length <= LONGEST) return encoded;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 16);
  return `${encoded.slice(0, KEPT).replace(/=[0-9A-F]?$/, '')}=-${digest}`;
}

/** The name that {@link encodeToken} was given, or `undefined` for a shortened or malformed token. */
export function decodeToken(token: string): string | undefined {
  if (token === '=') return '';
  if (!/^(?:[A-Za-z0-9_-]|=[0-9A-F]{2})+$/.test(token)) return undefined;
  if (!token.includes('=')) return token;
  const bytes = token.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Encodes a topic: its dots separate subject tokens, everything else is encoded per token. */
export function encodeTopic(topic: string): string {
  return topic.split('.').map(encodeToken).join('.');
}

/** The topic of a subject, as far as its tokens give their names back. */
export function decodeTopic(subject: string): string {
  return subject
    .split('.')
    .map((token) => decodeToken(token) ?? token)
    .join('.');
}
