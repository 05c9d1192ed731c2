/** One more worker, to be killed. */
import type { RunningCli } from '../../helpers/cli.ts';
import type { World } from './world.ts';

/** Starts one more worker for as long as `work` takes, which may do to it what it likes. */
export async function withVictim(world: World, work: (victim: RunningCli) => Promise<void>): Promise<void> {
  const victim = await world.startWorker('victim');
  try {
    await work(victim);
  } finally {
    await victim.stop('SIGKILL');
  }
}
