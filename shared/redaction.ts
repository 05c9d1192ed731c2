/** Which fields of log records are not told. */

export const REDACTED = '[redacted]';

/** Whatever stands under such a name is a secret. Written in any case, with or without dashes and underscores. */
const SECRETS = [
  ...['authorization', 'proxyauthorization', 'cookie', 'setcookie'],
  ...['password', 'passwd', 'passphrase', 'secret', 'clientsecret', 'privatekey', 'credentials'],
  ...['token', 'accesstoken', 'refreshtoken', 'idtoken', 'authtoken', 'bearertoken', 'csrftoken', 'apitoken'],
  ...['apikey', 'xapikey', 'secretkey', 'accesskey'],
];
/** Keys that were looked at are remembered, as long as they are not that many. */
const MOST_REMEMBERED = 10_000;

export class Redaction {
  readonly #names: ReadonlySet<string>;
  readonly #paths: readonly string[][];
  readonly #known = new Map<string, boolean>();

  /** @param more names, meant wherever they are, and paths from the top: `user.*.card`. */
  constructor(more: readonly string[] = []) {
    this.#names = new Set([...SECRETS, ...more.filter((path) => !path.includes('.')).map(simplify)]);
    this.#paths = more.filter((path) => path.includes('.')).map((path) => path.split('.'));
  }

  /** Whether {@link hides} looks at more than the last key. */
  get hasPaths(): boolean {
    return this.#paths.length > 0;
  }

  /**
   * Whether the value of a key is not told.
   * @param around the keys above it, from the top.
   */
  hides(key: string, around: readonly string[]): boolean {
    return this.#isSecret(key) || this.#paths.some((path) => fits(path, key, around));
  }

  #isSecret(key: string): boolean {
    let secret = this.#known.get(key);
    if (secret === undefined) {
      secret = this.#names.has(simplify(key));
      if (this.#known.size < MOST_REMEMBERED) this.#known.set(key, secret);
    }
    return secret;
  }
}

export const DEFAULT_REDACTION = new Redaction();

function simplify(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '');
}

function fits(path: readonly string[], key: string, around: readonly string[]): boolean {
  if (path.length !== around.length + 1) return false;
  return path.every((part, at) => part === '*' || part === (at < around.length ? around[at] : key));
}
