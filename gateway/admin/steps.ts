/** The steps and streams of the app in the admin API: what they are, their source, and the API steps as an OpenAPI document. */
import type { FastifyInstance } from 'fastify';
import { MotiaError } from '../../shared/errors.ts';
import type { Manifest, StepEntry } from '../../shared/steps/manifest.ts';
import { openApi } from '../../shared/steps/openapi.ts';
import { ProjectFiles } from '../workbench/project-files.ts';
import type { Installation } from './app.ts';
import { NO_FILES } from './flows.ts';
import { toName } from './path-name.ts';

interface One {
  Params: { step: string };
}

/**
 * @param manifest the one that is served; `undefined` before the first.
 */
export function stepRoutes(
  api: FastifyInstance,
  manifest: () => Manifest | undefined,
  { root, mode }: Installation,
): void {
  const files = root === undefined ? undefined : new ProjectFiles(root);
  const find = (name: string): [ProjectFiles, StepEntry] => {
    if (!files) throw new MotiaError('NOT_FOUND', NO_FILES);
    const step = manifest()?.steps.find(({ id }) => id === name);
    if (!step) throw new MotiaError('UNKNOWN_STEP', `there is no step "${name}"`);
    return [files, step];
  };
  api.get('/steps', async () => {
    const { app, version, steps = [], streams = [] } = manifest() ?? {};
    const own = mode === 'dev' ? steps.filter((step) => files?.component(step) !== undefined) : [];
    return { app, version, steps, streams, nodeComponents: own.map(({ id }) => id) };
  });
  api.get('/steps/openapi.json', async () => {
    const { app = '', version = '', steps = [] } = manifest() ?? {};
    return openApi({ title: app, version }, steps);
  });
  api.get<One>('/steps/:step/source', async ({ params }) => {
    const [project, step] = find(toName(params.step));
    return project.source(step);
  });
  api.get<One>('/steps/:step/node.js', async ({ params }, reply) => {
    const [project, step] = find(toName(params.step));
    const component = project.component(step);
    if (root === undefined || mode !== 'dev' || component === undefined) {
      throw new MotiaError('NOT_FOUND', 'this step has no component of its own, or this is not motia dev');
    }
    const { compileComponent } = await import('../workbench/node-component.ts');
    return reply.type('text/javascript; charset=utf-8').send(await compileComponent(root, component));
  });
}
