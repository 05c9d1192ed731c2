/** Names in paths of the admin API: any text, although a path cannot have every one. */
import { MotiaError } from '../../shared/errors.ts';
import { decodeToken } from '../../shared/protocol/encoding.ts';

/**
 * The name that a part of a path stands for, which is percent-encoded there. What begins with `=` has its bytes as `=XX`, as tokens of
 * the broker do: so are the empty name (`=`), `.` and `..`, which clients take for steps up and down the path, and names that
 * begin with `=` themselves.
 * @throws {MotiaError} `INVALID_VALUE` for what begins with `=` and is no such form.
 */
export function toName(part: string): string {
  const name = part.startsWith('=') ? decodeToken(part) : part;
  if (name !== undefined) return name;
  throw new MotiaError('INVALID_VALUE', 'a name that begins with = is given as its bytes: =XX for each');
}
