/** Makes the broker ready for a project without serving it: what a deployment runs before its workers. */
import { type Broker, connectBroker } from '../shared/broker/connect.ts';
import { emptyOrphan, findOrphans, type Orphan, removeOrphan } from '../shared/broker/orphans.ts';
import { provisionManifest } from '../shared/broker/provision.ts';
import { ensureTopology } from '../shared/broker/topology.ts';
import { MotiaError } from '../shared/errors.ts';
import { Lifecycle } from '../shared/lifecycle.ts';
import { createNames, type Names } from '../shared/protocol/subjects.ts';
import { openProject, pythonFolder } from '../shared/steps/built-project.ts';
import { discoverSteps } from '../shared/steps/discover.ts';
import type { Manifest } from '../shared/steps/manifest.ts';
import type { WorkerOptions } from './main.ts';
import { ThreadPool } from './threads/thread-pool.ts';

export type ProvisionOptions = Pick<
  WorkerOptions,
  'broker' | 'app' | 'partitions' | 'root' | 'motiaDir' | 'built' | 'log' | 'sink' | 'logLevel' | 'telemetry'
> & {
  /** Does the same for the steps of other languages, which are to be ready before the manifest is published. */
  provisionOthers: () => Promise<void>;
  /** What becomes of consumers that no live version of the app has: nothing, or the empty ones go, or all after what waits in them. */
  orphans: 'report' | 'remove' | 'empty';
};

export type OrphanOutcome = 'left' | 'removed' | 'in use';

/** An orphan as it was found, and what has become of it. */
export type ProvisionedOrphan = Orphan & { outcome: OrphanOutcome };

/**
 * Loads the project's steps and makes their broker streams, consumers and manifest.
 * @throws {MotiaError} `PROJECT_INVALID` if a step cannot be loaded, or `BROKER_*`.
 */
export async function provision(options: ProvisionOptions): Promise<{
  version: string;
  steps: number;
  orphans: ProvisionedOrphan[];
}> {
  const { app, partitions, root, log, sink, logLevel, telemetry } = options;
  const names = createNames(app, partitions);
  const lifecycle = new Lifecycle();
  try {
    const broker = await connectBroker(options.broker, { name: `${app} provision` });
    lifecycle.defer('broker connection', () => broker.close());
    const code = openProject(options);
    lifecycle.defer('bundler', () => code.close());
    const pool = new ThreadPool({
      setup: { app, root, broker: options.broker, logLevel, telemetry: { ...telemetry, stored: false } },
      size: 1,
      keepWarm: false,
      log,
      onLog: (line) => sink.write(line),
      beforeSend: () => {},
    });
    lifecycle.defer('handler thread', () => pool.close(5_000));
    const bundle = await code.build();
    let manifest: Manifest | undefined;
    let failures = bundle.failures;
    await pool.swap(bundle, async (loaded) => {
      failures = [...failures, ...loaded.failures];
      manifest = loaded.manifest;
      return false;
    });
    if (failures.length > 0 || !manifest) {
      throw new MotiaError(
        'PROJECT_INVALID',
        `the project cannot be provisioned:\n${failures.map(({ message }) => message).join('\n')}`,
      );
    }
    await ensureTopology(broker, names);
    await options.provisionOthers();
    const { python } = discoverSteps(pythonFolder(root, options.built));
    const provisioned = await provisionManifest(broker, names, manifest, python.length > 0);
    for (const warning of provisioned.warnings) log.warn({ action: 'project_warning' }, warning);
    const { version, steps } = provisioned.manifest;
    const orphans: ProvisionedOrphan[] = [];
    for (const orphan of await findOrphans(broker, names)) {
      orphans.push(await dealWith(broker, names, orphan, options.orphans));
    }
    return { version, steps: steps.length, orphans };
  } finally {
    await lifecycle.close();
  }
}

async function dealWith(
  broker: Broker,
  names: Names,
  orphan: Orphan,
  how: ProvisionOptions['orphans'],
): Promise<ProvisionedOrphan> {
  if (how === 'empty') {
    const moved = await emptyOrphan(broker, names, orphan);
    return moved === undefined ? { ...orphan, outcome: 'in use' } : { ...orphan, waiting: moved, outcome: 'removed' };
  }
  const removed = how === 'remove' && (await removeOrphan(broker, names, orphan));
  return { ...orphan, outcome: removed ? 'removed' : 'left' };
}
