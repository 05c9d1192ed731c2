/** The app in the admin API: what serves it, and what of the project's own files can be had. */
import type { FastifyInstance } from 'fastify';
import type { TelemetryEnvironment } from '../../shared/config.ts';
import type { Manifest } from '../../shared/steps/manifest.ts';
import { tutorialOf } from './tutorial.ts';

/** How a gateway runs. */
export interface Installation {
  mode: 'dev' | 'start' | 'gateway';
  motiaVersion: string;
  /** The project's folder, absolute; absent where its files are elsewhere. */
  root?: string;
}

/** @param manifest the one that is served; `undefined` before the first. */
export function appRoutes(
  api: FastifyInstance,
  installation: Installation,
  app: string,
  manifest: () => Manifest | undefined,
  telemetry: TelemetryEnvironment,
): void {
  const { mode, motiaVersion, root } = installation;
  const startedAt = new Date().toISOString();
  api.get('/app', async () => {
    const { version, steps = [], settings } = manifest() ?? {};
    const { traceUrl, payloads = telemetry.payloads } = settings?.telemetry ?? {};
    return {
      ...{ app, version, language: [...new Set(steps.map(({ language }) => language))].sort() },
      ...{
        mode,
        motiaVersion,
        startedAt,
        writable: { layout: root !== undefined },
        tutorial: tutorialOf(installation) !== undefined,
      },
      ...(traceUrl !== undefined && { jaegerUrl: traceUrl }),
      tracing: { stored: telemetry.stored, exported: telemetry.tracesUrl !== undefined, payloads },
    };
  });
}
