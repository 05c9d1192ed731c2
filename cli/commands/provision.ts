/** `motia provision`: makes the broker ready for the project's steps, without running them. */
import { logSink } from '../../shared/logger.ts';
import { provision as provisionProject } from '../../worker/provision.ts';
import { requiredBroker } from '../broker-address.ts';
import { GRACE_MS } from '../grace.ts';
import { commandLogger, commandOptions, type Flags } from '../options.ts';
import { PythonSteps } from '../python/python-steps.ts';

export async function provision(flags: Flags): Promise<number> {
  const options = commandOptions(flags, 'json');
  const broker = requiredBroker(options, 'provision');
  const { app, root, motiaDir, logging, env } = options;
  const log = commandLogger(options);
  const python = new PythonSteps({ options, watch: false, graceMs: GRACE_MS.role, log, fail: () => {} });
  const { version, steps } = await provisionProject({
    broker,
    app,
    partitions: env.partitions,
    root,
    motiaDir,
    log,
    sink: logSink(logging),
    logLevel: logging.level,
    telemetry: env.telemetry,
    provisionOthers: () => python.provision(broker),
  });
  console.log(`Provisioned ${app}: ${steps} ${steps === 1 ? 'step' : 'steps'}, manifest ${version}`);
  return 0;
}
