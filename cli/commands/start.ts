/** `motia start`: every role on this machine, for production: no reloading, JSON logs, and a broken step ends the start. */
import { commandLogger, commandOptions, DEFAULT_PORT, type Flags } from '../options.ts';
import { supervise } from '../supervisor.ts';
import { deployedWorkbench } from '../workbench.ts';

export async function start(flags: Flags): Promise<number> {
  const options = commandOptions(flags, 'json');
  const log = commandLogger(options);
  const { host = '0.0.0.0', port = DEFAULT_PORT } = options;
  return supervise({
    options,
    log,
    host,
    port,
    portFallback: 0,
    watch: false,
    workbench: deployedWorkbench(options.env),
    onReady: ({ url }) => log.info({ action: 'ready', url }, `Ready at ${url} in ${Math.round(performance.now())} ms`),
  });
}
