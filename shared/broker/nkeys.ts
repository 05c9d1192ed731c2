/** Key pairs of users of the broker. */
import { nkeys } from '@nats-io/transport-node';

/** A new user: the seed, which is a secret, and the public key that the server is told. */
export function createUserKey(): { seed: string; publicKey: string } {
  const pair = nkeys.createUser();
  return { seed: Buffer.from(pair.getSeed()).toString('ascii'), publicKey: pair.getPublicKey() };
}

/** @throws Error for what is no seed. */
export const publicKeyOf = (seed: string): string => nkeys.fromSeed(Buffer.from(seed)).getPublicKey();
