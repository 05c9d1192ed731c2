/** The steps and streams of the app in the admin API: what they are, their source, and the API steps as an OpenAPI document. */
import type { FastifyInstance } from 'fastify';
import { MotiaError } from '../../shared/errors.ts';
import type { Manifest, StepEntry } from '../../shared/steps/manifest.ts';
import { openApi } from '../../shared/steps/openapi.ts';
import { ProjectFiles } from '../workbench/project-files.ts';
import { NO_FILES } from './flows.ts';
import { toName } from './path-name.ts';

interface One {
  Params: { step: string };
}

/**
 * @param manifest the one that is served; `undefined` before the first.
 * @param root of the project; `undefined` where its files are elsewhere.
 */
export function stepRoutes(api: FastifyInstance, manifest: () => Manifest | undefined, root: string | undefined): void {
  const files = root === undefined ? undefined : new ProjectFiles(root);
  const find = (name: string): [ProjectFiles, StepEntry] => {
    if (!files) throw new MotiaError('NOT_FOUND', NO_FILES);
    const step = manifest()?.steps.find(({ id }) => id === name);
    if (!step) throw new MotiaError('UNKNOWN_STEP', `there is no step "${name}"`);
    return [files, step];
  };
  api.get('/steps', async () => {
    const { app, version, steps = [], streams = [] } = manifest() ?? {};
    return { app, version, steps, streams };
  });
  api.get('/steps/openapi.json', async () => {
    const { app = '', version = '', steps = [] } = manifest() ?? {};
    return openApi({ title: app, version }, steps);
  });
  api.get<One>('/steps/:step/source', async ({ params }) => {
    const [project, step] = find(toName(params.step));
    return project.source(step);
  });
}
