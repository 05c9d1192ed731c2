// A project of a realistic size: 10 API steps, 10 event steps, a helper that all of them share, schemas. In either language.
import fs from 'node:fs';
import path from 'node:path';
import { installInto } from './motia.mjs';

const PAIRS = 10;

/** The GET routes of the project; each answers with the versions of its own file and of the helper. */
export const route = (number) => `/orders/${number}`;

/**
 * @typedef {object} Sources
 * @property {string} helperFile
 * @property {(number: number) => string} apiFile
 * @property {(number: number) => string} eventFile
 * @property {(version: number) => string} helper
 * @property {(number: number, version: number) => string} apiStep
 * @property {(number: number) => string} eventStep
 */

/** @param {import('./processes.mjs').Scope} scope @param {Sources} [sources] @returns {string} its folder */
export function createSampleProject(scope, sources = typeScript) {
  const project = scope.temporaryFolder();
  const files = {
    'package.json': '{ "name": "sample", "private": true, "type": "module" }\n',
    [sources.helperFile]: sources.helper(0),
  };
  for (let number = 0; number < PAIRS; number++) {
    files[sources.apiFile(number)] = sources.apiStep(number, 0);
    files[sources.eventFile(number)] = sources.eventStep(number);
  }
  for (const [file, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(project, file)), { recursive: true });
    fs.writeFileSync(path.join(project, file), text);
  }
  installInto(project);
  return project;
}

/** @type {Sources} */
export const typeScript = {
  helperFile: 'src/orders.ts',
  apiFile: (number) => `steps/api/read-${number}.step.ts`,
  eventFile: (number) => `steps/events/on-read-${number}.step.ts`,
  helper: (version) => `import { z } from 'zod';

export const orderSchema = z.object({ id: z.string(), total: z.number(), items: z.array(z.string()) });
export const helperVersion = ${version};
`,
  apiStep: (number, version) => `import type { ApiRouteConfig, ApiRouteHandler } from 'motia';
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
`,
  eventStep: (number) => `import type { EventConfig, EventHandler } from 'motia';
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
`,
};

/** @type {Sources} */
export const python = {
  helperFile: 'src/services/orders.py',
  apiFile: (number) => `steps/api/read_${number}_step.py`,
  eventFile: (number) => `steps/events/on_read_${number}_step.py`,
  helper: (version) => `from pydantic import BaseModel

helper_version = ${version}


class Order(BaseModel):
    id: str
    total: float
    items: list[str]
`,
  apiStep: (number, version) => `from src.services.orders import Order, helper_version

config = {
    "type": "api",
    "name": "Read${number}",
    "method": "GET",
    "path": "${route(number)}",
    "emits": ["order.read.${number}"],
    "flows": ["orders"],
    "responseSchema": {200: Order.model_json_schema()},
}


async def handler(req, context):
    return {"status": 200, "body": {"version": ${version}, "helperVersion": helper_version}}
`,
  eventStep: (number) => `from src.services.orders import Order

config = {
    "type": "event",
    "name": "OnRead${number}",
    "subscribes": ["order.read.${number}"],
    "emits": [],
    "flows": ["orders"],
    "input": Order.model_json_schema(),
}


async def handler(order, context):
    await context.state.set("orders", order["id"], order)
`,
};
