/** `motia python-worker`: runs the project's Python steps, against the broker of NATS_URL. */
import { requiredBroker } from '../broker-address.ts';
import { findBuild } from '../build/freshness.ts';
import { CliError } from '../cli-error.ts';
import { GRACE_MS } from '../grace.ts';
import { opsAddress } from '../ops-address.ts';
import { commandLogger, commandOptions, type Flags } from '../options.ts';
import { PythonSteps } from '../python/python-steps.ts';
import { runUntilShutdown } from '../run-until-shutdown.ts';

export async function pythonWorker(flags: Flags): Promise<number> {
  const options = commandOptions(flags, 'json');
  const broker = requiredBroker(options, 'python-worker');
  const { part, concurrency } = options;
  const log = commandLogger(options);
  const built = await findBuild(options);
  return runUntilShutdown(log, async (life, fail) => {
    const graceMs = GRACE_MS.role - 3_000;
    const python = new PythonSteps({
      options,
      built,
      watch: false,
      part,
      ...(concurrency !== undefined && { concurrency }),
      ops: opsAddress(options),
      graceMs,
      log,
      fail,
    });
    life.defer('Python worker', () => python.stop(), GRACE_MS.role);
    if (!(await python.start(broker))) throw new CliError('There are no Python steps that this machine can run');
    log.info({ action: 'ready' }, 'The Python worker takes work');
  });
}
