/** Realtime streams in the admin API. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { StreamAdmin } from '../../shared/broker/stream-admin.ts';
import { toName } from './path-name.ts';
import { pageOf, type Query } from './query.ts';
import { readJson } from './read-json.ts';

interface One extends Query {
  Params: { stream: string };
}
interface Group extends Query {
  Params: { stream: string; group: string };
}
interface Item extends Query {
  Params: { stream: string; group: string; id: string };
}

const GROUPS = '/streams/:stream/groups';
const ITEM = `${GROUPS}/:group/items/:id`;

/** @param followers how many clients of this gateway follow something of a stream. */
export function streamRoutes(
  api: FastifyInstance,
  streams: () => Promise<StreamAdmin>,
  followers: (stream: string) => number,
): void {
  api.get('/streams', async () => {
    const list = await (await streams()).list();
    return list.map((stream) => ({ ...stream, clients: followers(stream.name) }));
  });
  api.get<One>(GROUPS, async ({ params, query }) => (await streams()).groups(toName(params.stream), pageOf(query)));
  api.get<Group>(`${GROUPS}/:group/items`, async ({ params, query }) =>
    (await streams()).page(toName(params.stream), toName(params.group), pageOf(query)),
  );
  api.get<Item>(ITEM, async ({ params }) => (await streams()).show(...placeOf(params)));
  api.put<Item>(ITEM, async (request, reply) => {
    const body = await readJson(request, reply);
    return body === undefined ? reply : (await streams()).put(...placeOf(request.params), body.json);
  });
  api.delete<Item>(ITEM, async ({ params }, reply) => {
    await (await streams()).remove(...placeOf(params));
    return reply.code(204).send();
  });

  const send = async (request: FastifyRequest, reply: FastifyReply, params: Group['Params'], id?: string) => {
    const body = await readJson(request, reply);
    if (body === undefined) return reply;
    await (await streams()).send(toName(params.stream), toName(params.group), id, body.json);
    return reply.code(202).send();
  };
  api.post<Group>(`${GROUPS}/:group/events`, (request, reply) => send(request, reply, request.params));
  api.post<Item>(`${ITEM}/events`, (request, reply) => send(request, reply, request.params, toName(request.params.id)));
}

const placeOf = ({ stream, group, id }: Item['Params']): [stream: string, group: string, id: string] => [
  toName(stream),
  toName(group),
  toName(id),
];
