// A project of a realistic size: 10 API steps, 10 event steps, a helper that all of them share, zod schemas.
import fs from 'node:fs';
import path from 'node:path';
import { installInto } from './motia.mjs';

const PAIRS = 10;

/** The GET routes of the project; each answers with the versions of its own file and of the helper. */
export const route = (number) => `/orders/${number}`;
export const apiFile = (number) => `steps/api/read-${number}.step.ts`;
export const HELPER_FILE = 'src/orders.ts';

/** @param {import('./processes.mjs').Scope} scope @returns {string} its folder */
export function createSampleProject(scope) {
  const project = scope.temporaryFolder();
  const files = {
    'package.json': '{ "name": "sample", "private": true, "type": "module" }\n',
    [HELPER_FILE]: helper(0),
  };
  for (let number = 0; number < PAIRS; number++) {
    files[apiFile(number)] = apiStep(number, 0);
    files[`steps/events/on-read-${number}.step.ts`] = eventStep(number);
  }
  for (const [file, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(project, file)), { recursive: true });
    fs.writeFileSync(path.join(project, file), text);
  }
  installInto(project);
  return project;
}

/** @param {number} version */
export const helper = (version) => `import { z } from 'zod';

export const orderSchema = z.object({ id: z.string(), total: z.number(), items: z.array(z.string()) });
export const helperVersion = ${version};
`;

/** @param {number} number @param {number} version */
export const apiStep = (number, version) => `import type { ApiRouteConfig, ApiRouteHandler } from 'motia';
import { z } from 'zod';
import { helperVersion, orderSchema } from '../../src/orders';

export const config: ApiRouteConfig = {
  type: 'api',
  name: 'Read${number}',
  method: 'GET',
  path: '${route(number)}',
  emits: ['order.read.${number}'],
  flows: ['orders'],
  responseSchema: { 200: z.object({ version: z.number(), helperVersion: z.number(), order: orderSchema.optional() }) },
};

export const handler: ApiRouteHandler = async () => ({ status: 200, body: { version: ${version}, helperVersion } });
`;

const eventStep = (number) => `import type { EventConfig, EventHandler } from 'motia';
import { orderSchema } from '../../src/orders';

export const config: EventConfig = {
  type: 'event',
  name: 'OnRead${number}',
  subscribes: ['order.read.${number}'],
  emits: [],
  flows: ['orders'],
  input: orderSchema,
};

export const handler: EventHandler<{ id: string }> = async (order, { state }) => {
  await state.set('orders', order.id, order);
};
`;
