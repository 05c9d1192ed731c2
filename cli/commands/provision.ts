/** `motia provision`: makes the broker ready for the project's steps, without running them. */
import { logSink } from '../../shared/logger.ts';
import { provision as provisionProject } from '../../worker/provision.ts';
import { requiredBroker } from '../broker-address.ts';
import { commandLogger, commandOptions, type Flags } from '../options.ts';

export async function provision(flags: Flags): Promise<number> {
  const options = commandOptions(flags, 'json');
  const broker = requiredBroker(options, 'provision');
  const { app, root, motiaDir, logging, env } = options;
  const { version, steps } = await provisionProject({
    broker,
    app,
    root,
    motiaDir,
    log: commandLogger(options),
    sink: logSink(logging),
    logLevel: logging.level,
    telemetry: env.telemetry,
  });
  console.log(`Provisioned ${app}: ${steps} ${steps === 1 ? 'step' : 'steps'}, manifest ${version}`);
  return 0;
}
