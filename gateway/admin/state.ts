/** State in the admin API. */
import type { FastifyInstance } from 'fastify';
import type { StateAdmin } from '../../shared/broker/state-admin.ts';
import type { TelemetryAdmin } from '../../shared/broker/telemetry-admin.ts';
import { touchedState } from '../../shared/broker/touched-state.ts';
import { toName } from './path-name.ts';
import { numberOf, pageOf, type Query, textOf } from './query.ts';
import { readJson } from './read-json.ts';

interface Group extends Query {
  Params: { group: string };
}
interface Entry extends Query {
  Params: { group: string; key: string };
}

const GROUPS = '/state/groups';
const GROUP = `${GROUPS}/:group`;
const ITEMS = `${GROUP}/items`;

export function stateRoutes(
  api: FastifyInstance,
  state: () => Promise<StateAdmin>,
  telemetry: () => Promise<TelemetryAdmin>,
): void {
  api.get<Query>('/state/touched', async ({ query }) => {
    const trace = await (await telemetry()).trace(textOf(query, 'trace') ?? '');
    return { keys: touchedState(trace) };
  });
  api.get<Query>(GROUPS, async ({ query }) => (await state()).groups(pageOf(query)));
  api.delete<Group>(GROUP, async ({ params }, reply) => {
    await (await state()).clear(toName(params.group));
    return reply.code(204).send();
  });
  api.get<Group>(ITEMS, async ({ params, query }) => (await state()).page(toName(params.group), pageOf(query)));
  api.get<Entry>(`${ITEMS}/:key`, async ({ params }) => (await state()).show(toName(params.group), toName(params.key)));
  api.put<Entry>(`${ITEMS}/:key`, async (request, reply) => {
    const { params, query } = request;
    const options = { ttl: numberOf(query, 'ttl'), ifRevision: numberOf(query, 'ifRevision') };
    const body = await readJson(request, reply);
    if (body === undefined) return reply;
    return (await state()).put(toName(params.group), toName(params.key), body.json, options);
  });
  api.delete<Entry>(`${ITEMS}/:key`, async ({ params }, reply) => {
    await (await state()).remove(toName(params.group), toName(params.key));
    return reply.code(204).send();
  });
}
