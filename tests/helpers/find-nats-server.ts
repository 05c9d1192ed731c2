/** Runs before the tests: finds the nats-server program once, so that not every start has to look for it. */
import { findNatsServer } from '../../cli/nats-server.ts';
import { readEnvironment } from '../../shared/config.ts';

export default async function setup(): Promise<void> {
  const { natsServer, searchPath, cacheDir } = readEnvironment();
  const { path } = await findNatsServer({ configured: natsServer, searchPath, cacheDir });
  process.env.MOTIA_NATS_SERVER = path;
}
