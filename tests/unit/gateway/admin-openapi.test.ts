/** The admin API is what its document says. */
import { Validator } from '@seriousme/openapi-schema-validator';
import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { type AdminOptions, addAdminRoutes } from '../../../gateway/admin/admin.ts';
import { adminOpenApi, ROUTES } from '../../../gateway/admin/openapi.ts';

const PREFIX = '/__motia/api/v1';

test('the document is valid', async () => {
  const { valid, errors } = await new Validator().validate(adminOpenApi(PREFIX, '1') as Record<string, never>);
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
});

test('every route is in the document, and nothing else', async () => {
  const app = Fastify();
  const served = new Set<string>();
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) if (url.startsWith(PREFIX) && one !== 'HEAD') served.add(`${one} ${url}`);
  });
  addAdminRoutes(app, { services: { orphans: async () => [] }, installation: {} } as unknown as AdminOptions);
  await app.ready();
  const told = ROUTES.map(({ method, path }) => `${method.toUpperCase()} ${PREFIX}${path}`);
  expect([...served].sort()).toEqual(told.sort());
  await app.close();
});
