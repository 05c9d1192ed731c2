/** The seeds of the broker's users: secrets in files of their own, made once and never shown. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createUserKey, publicKeyOf } from '../../shared/broker/nkeys.ts';
import { CliError } from '../cli-error.ts';

/** Public keys by user; a user without a seed in `dir` gets one. */
export function ensureSeeds(dir: string, users: readonly string[]): Map<string, string> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return new Map(users.map((user) => [user, ensureSeed(join(dir, `${user}.nk`))]));
}

function ensureSeed(file: string): string {
  if (!existsSync(file)) {
    const { seed, publicKey } = createUserKey();
    writeFileSync(file, `${seed}\n`, { mode: 0o600, flag: 'wx' });
    return publicKey;
  }
  try {
    return publicKeyOf(readFileSync(file, 'utf8').trim());
  } catch {
    throw new CliError(`${file} is not the seed of a user: put the right one back, or remove it to get a new one`);
  }
}
