/** Which realtime streams the project has. */
import { MotiaError } from '../../shared/errors.ts';

export class StreamNames {
  readonly #known: Set<string>;
  readonly #readAll: () => Promise<string[]>;

  /**
   * @param own those that this thread has loaded
   * @param readAll gives those of all languages. It is asked for a name that is not known: they come with edits.
   */
  constructor(own: Iterable<string>, readAll: () => Promise<string[]>) {
    this.#known = new Set(own);
    this.#readAll = readAll;
  }

  /** @throws {MotiaError} `INVALID_VALUE` that tells which streams there are, if there is none of that name. */
  async check(name: string): Promise<void> {
    if (this.#known.has(name)) return;
    for (const other of await this.#readAll()) this.#known.add(other);
    if (this.#known.has(name)) return;
    const all = [...this.#known].sort().join(', ');
    const defined = all === '' ? 'no file of the project defines one' : `the project has ${all}`;
    throw new MotiaError('INVALID_VALUE', `there is no stream "${name}": ${defined}`);
  }
}
