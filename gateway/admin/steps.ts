/** The steps and streams of the app in the admin API, and its API steps as an OpenAPI document. */
import type { FastifyInstance } from 'fastify';
import type { Manifest } from '../../shared/steps/manifest.ts';
import { openApi } from '../../shared/steps/openapi.ts';

/** @param manifest the one that is served; `undefined` before the first. */
export function stepRoutes(api: FastifyInstance, manifest: () => Manifest | undefined): void {
  api.get('/steps', async () => {
    const { app, version, steps = [], streams = [] } = manifest() ?? {};
    return { app, version, steps, streams };
  });
  api.get('/steps/openapi.json', async () => {
    const { app = '', version = '', steps = [] } = manifest() ?? {};
    return openApi({ title: app, version }, steps);
  });
}
