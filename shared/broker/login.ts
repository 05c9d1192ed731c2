/** How a connection proves who it is, and where its answers come to. */
import { readFileSync } from 'node:fs';
import { credsAuthenticator, type NodeConnectionOptions, nkeyAuthenticator } from '@nats-io/transport-node';
import type { BrokerAddress } from '../config.ts';
import { MotiaError } from '../errors.ts';
import { inboxPrefix } from '../protocol/subjects.ts';
import { publicKeyOf } from './nkeys.ts';

/** The settings to look at when a login is refused. */
export const LOGIN_SETTINGS = 'NATS_NKEY, NATS_CREDS, or NATS_USER and NATS_PASSWORD';

/**
 * The options of a connection that concern its login.
 * @throws {MotiaError} `INVALID_VALUE` for a seed that cannot be used.
 */
export function loginOptions(address: BrokerAddress): NodeConnectionOptions {
  const { user, password, credsFile, nkeyFile, caFile, certFile, keyFile } = address;
  const options: NodeConnectionOptions = {};
  let prefix = address.inboxPrefix;
  if (user !== undefined) options.user = user;
  if (password !== undefined) options.pass = password;
  if (credsFile !== undefined) options.authenticator = credsAuthenticator(readFileSync(credsFile));
  if (nkeyFile !== undefined) {
    const seed = readSeed(nkeyFile);
    options.authenticator = nkeyAuthenticator(Buffer.from(seed));
    prefix ??= inboxPrefix(publicKeyOf(seed));
  }
  if (prefix !== undefined) options.inboxPrefix = prefix;
  if (caFile !== undefined || certFile !== undefined || keyFile !== undefined) {
    options.tls = { ...(caFile && { caFile }), ...(certFile && { certFile }), ...(keyFile && { keyFile }) };
  }
  return options;
}

/** The message never has what is in the file: it may be a secret all the same. */
function readSeed(path: string): string {
  try {
    const seed = readFileSync(path, 'utf8').trim();
    publicKeyOf(seed);
    return seed;
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? 'it is not the seed of a user';
    throw new MotiaError('INVALID_VALUE', `the file of NATS_NKEY, ${path}, cannot be used: ${why}`);
  }
}
