/** `motia dev`: every role on this machine, with steps reloaded as their files change. */
import { keepUpToDate } from '../generate/keep-up-to-date.ts';
import { type CommandOptions, commandLogger, commandOptions, DEFAULT_PORT, type Flags } from '../options.ts';
import { supervise } from '../supervisor.ts';
import { devWorkbench, WORKBENCH_PATH } from '../workbench.ts';

const FURTHER_PORTS = 10;

export async function dev(flags: Flags): Promise<number> {
  const options = withPayloads(commandOptions(flags, 'readable'));
  const log = commandLogger(options);
  const workbench = devWorkbench(options.env);
  const { host = '127.0.0.1', port = DEFAULT_PORT } = options;
  return supervise({
    options,
    log,
    host,
    port,
    portFallback: FURTHER_PORTS,
    watch: true,
    workbench,
    onManifest: keepUpToDate(options.root, flags.mermaid === true, log),
    onReady(gateway) {
      if (port !== 0 && gateway.port !== port) {
        log.warn({ action: 'port_busy' }, `Port ${port} is taken, using ${gateway.port} instead`);
      }
      const url = gateway.url.replace('//127.0.0.1:', '//localhost:');
      console.log(`Ready at ${url} in ${Math.round(performance.now())} ms`);
      if (workbench !== undefined) console.log(`Workbench at ${url}${WORKBENCH_PATH}`);
    },
  });
}

/** Whoever develops wants to see what was sent. */
function withPayloads(options: CommandOptions): CommandOptions {
  const telemetry = { ...options.env.telemetry, payloads: true };
  return { ...options, env: { ...options.env, telemetry } };
}
