/** The tutorial of the project, for the Workbench: in `motia dev`, where its files are. */
import type { FastifyInstance } from 'fastify';
import { MotiaError } from '../../shared/errors.ts';
import { ProjectFiles } from '../workbench/project-files.ts';
import type { Installation } from './app.ts';

/** Absolute path of it; `undefined` where there is none. */
export const tutorialOf = ({ root, mode }: Installation): string | undefined =>
  root === undefined || mode !== 'dev' ? undefined : new ProjectFiles(root).tutorial();

export function tutorialRoutes(api: FastifyInstance, installation: Installation): void {
  api.get('/tutorial.js', async (_request, reply) => {
    const path = tutorialOf(installation);
    if (path === undefined || installation.root === undefined) {
      throw new MotiaError('NOT_FOUND', 'there is no tutorial/tutorial.tsx in the project, or this is not motia dev');
    }
    const { compileComponent } = await import('../workbench/node-component.ts');
    return reply.type('text/javascript; charset=utf-8').send(await compileComponent(installation.root, path));
  });
}
