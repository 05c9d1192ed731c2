/** Layouts of flows in the admin API. */
import type { FastifyInstance } from 'fastify';
import { MotiaError } from '../../shared/errors.ts';
import { FlowLayouts } from '../workbench/flow-layouts.ts';
import { toName } from './path-name.ts';
import { readJson } from './read-json.ts';

/** @param root of the project; `undefined` where its files are elsewhere. */
export function flowRoutes(api: FastifyInstance, root: string | undefined): void {
  const layouts = root === undefined ? undefined : new FlowLayouts(root);
  api.get('/flows/layout', async () => layouts?.read() ?? []);
  api.put<{ Params: { flow: string } }>('/flows/layout/:flow', async (request, reply) => {
    if (!layouts) throw new MotiaError('NOT_FOUND', NO_FILES);
    const body = await readJson(request, reply);
    if (body === undefined) return reply;
    await layouts.write(toName(request.params.flow), body.json);
    return reply.code(204).send();
  });
}

export const NO_FILES = "the project's files are not on this machine: they are where motia dev or motia start runs";
