/** `motia provision`: makes the broker ready for the project's steps, without running them. */
import type { Logger } from 'pino';
import type { BrokerAddress } from '../../shared/config.ts';
import { logSink } from '../../shared/logger.ts';
import { Ops } from '../../shared/ops.ts';
import { serveOps } from '../../shared/ops-server.ts';
import { type OrphanOutcome, provision as provisionProject } from '../../worker/provision.ts';
import { requiredBroker } from '../broker-address.ts';
import { findBuild } from '../build/freshness.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { GRACE_MS } from '../grace.ts';
import { keepProvisioned } from '../keep-provisioned.ts';
import { opsAddress } from '../ops-address.ts';
import { type CommandOptions, commandLogger, commandOptions, type Flags } from '../options.ts';
import { PythonSteps } from '../python/python-steps.ts';
import { runUntilShutdown } from '../run-until-shutdown.ts';
import { countOf } from '../table.ts';
import { waitUntilProvisioned } from '../wait-provisioned.ts';

const OUTCOMES: Record<OrphanOutcome, (waiting: number) => string> = {
  left: (waiting) =>
    waiting > 0
      ? `in which ${waiting} wait. With --remove-orphans --force they become dead letters`
      : 'empty. It goes by itself in a while, or with --remove-orphans',
  removed: (waiting) => (waiting > 0 ? `removed; ${waiting} were moved to the dead letters` : 'removed'),
  'in use': () => 'but a worker serves it again',
};

export async function provision(flags: Flags): Promise<number> {
  if (flags.force && !flags.removeOrphans) throw new CliError('--force goes with --remove-orphans', EXIT.usage);
  const options = commandOptions(flags, 'json');
  const broker = { ...requiredBroker(options, 'provision'), locked: false }; // this is who makes everything
  const { app, env } = options;
  if (flags.wait !== undefined) {
    await waitUntilProvisioned(broker, app, flags.wait);
    console.log(`The broker is ready for ${app}`);
    return 0;
  }
  const log = commandLogger(options);
  if (!flags.keep) {
    await makeReady(flags, options, broker, log);
    return 0;
  }
  return runUntilShutdown(log, async (life) => {
    const ops = new Ops(app, 'provision');
    await serveOps(ops, opsAddress(options), life, log);
    await makeReady(flags, options, broker, log);
    const { partitions, telemetry } = env;
    await keepProvisioned({ broker, app, partitions, telemetry, ops, log }, life);
    life.defer('readiness', () => ops.health.drain());
    log.info({ action: 'ready' }, 'The broker is kept ready');
  });
}

async function makeReady(flags: Flags, options: CommandOptions, broker: BrokerAddress, log: Logger): Promise<void> {
  const { app, root, motiaDir, logging, env } = options;
  const built = await findBuild(options);
  const python = new PythonSteps({ options, built, watch: false, graceMs: GRACE_MS.role, log, fail: () => {} });
  const { version, steps, orphans } = await provisionProject({
    broker,
    app,
    partitions: env.partitions,
    root,
    motiaDir,
    built,
    log,
    sink: logSink(logging),
    logLevel: logging.level,
    telemetry: env.telemetry,
    orphans: flags.removeOrphans ? (flags.force ? 'empty' : 'remove') : 'report',
    provisionOthers: () => python.provision(broker),
  });
  console.log(`Provisioned ${app}: ${countOf(steps, 'step')}, manifest ${version}`);
  for (const { durable, step, waiting, outcome } of orphans) {
    console.log(`Not in use any more: ${durable} of ${step}, ${OUTCOMES[outcome](waiting)}`);
  }
}
