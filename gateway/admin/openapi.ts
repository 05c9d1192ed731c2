/** The admin API itself as an OpenAPI 3.1 document. Its routes are held to this list by a test. */
import { LOG_LEVELS } from '../../shared/log-levels.ts';
import { TRACE_STATUSES } from '../../shared/telemetry-records.ts';

interface Route {
  method: 'get' | 'post' | 'put' | 'delete';
  /** With `:name` for what varies. */
  path: string;
  summary: string;
  /** Names of query parameters, as {@link PARAMETERS} describes them. */
  query?: readonly (keyof typeof PARAMETERS)[];
  /** What the body is, as JSON. */
  body?: object;
  /** Status of success. Default 200. */
  status?: number;
  /** Type of the answer. Default JSON. */
  type?: string;
}

const text = { type: 'string' };
const number = { type: 'integer', minimum: 0 };
const time = { type: 'string', description: 'ISO 8601, or how long ago, as 15m' };

const PARAMETERS = {
  after: { ...text, description: '`next` of the page before' },
  all: { enum: ['true'], description: 'Of all steps' },
  cursor: { ...text, description: '`next` of the page before' },
  data: { enum: ['true'], description: 'With payloads of up to 16 KB' },
  flow: text,
  format: { enum: ['json', 'jsonl'], description: 'jsonl: one JSON object on each line' },
  ifRevision: { ...number, description: 'Only if what is there has this revision; 0: only if nothing is there' },
  level: { enum: LOG_LEVELS, description: 'This level and above' },
  limit: { ...number, description: 'How many at most' },
  maxDuration: { ...number, description: 'Milliseconds' },
  minDuration: { ...number, description: 'Milliseconds' },
  since: time,
  status: { enum: TRACE_STATUSES },
  step: text,
  text: { ...text, description: 'Contained anywhere' },
  trace: { ...text, description: 'Id of a trace' },
  ttl: { ...number, description: 'Seconds after which the value goes by itself' },
  until: time,
} as const;

const EVENT = {
  type: 'object',
  required: ['topic'],
  properties: { topic: text, data: {}, id: text, delay: { type: 'number' }, messageGroupId: text },
};
const SENT = { type: 'object', required: ['type'], properties: { type: text, data: {} } };

const LAYOUT = {
  type: 'object',
  required: ['config'],
  properties: {
    config: {
      type: 'object',
      additionalProperties: { type: 'object', required: ['x', 'y'], properties: { x: {}, y: {} } },
    },
  },
};

const LOG_FILTER = ['level', 'step', 'flow', 'trace', 'text', 'since', 'until'] as const;
const LETTER = '/dead-letters/:id';
const SUBSCRIPTION = '/queues/:subscription';
const VALUE = '/state/groups/:group/items/:key';
const GROUP = '/streams/:stream/groups/:group';
const ITEM = `${GROUP}/items/:id`;

export const ROUTES: readonly Route[] = [
  { method: 'get', path: '/openapi.json', summary: 'This document' },
  {
    method: 'get',
    path: '/activity',
    summary: 'What steps have done in the last minutes, and what waits',
    query: ['since'],
  },
  {
    ...{ method: 'get', path: '/activity/follow', summary: 'What they do from now on, as server-sent events' },
    type: 'text/event-stream',
  },
  { method: 'get', path: '/app', summary: 'The app, and what serves it' },
  { method: 'get', path: '/steps', summary: 'Steps and streams that are served' },
  { method: 'get', path: '/steps/openapi.json', summary: 'The API steps as an OpenAPI document' },
  { method: 'get', path: '/steps/:step/source', summary: 'Source of a step, where the project is' },
  {
    ...{ method: 'get', path: '/steps/:step/node.js', summary: 'Component that shows a step in its flow, in dev' },
    type: 'text/javascript',
  },
  {
    ...{ method: 'get', path: '/tutorial.js', summary: 'Tutorial of the project, in dev' },
    type: 'text/javascript',
  },
  { method: 'get', path: '/flows/layout', summary: 'Where people have put the steps of each flow' },
  { method: 'put', path: '/flows/layout/:flow', summary: 'Stores it for a flow', body: LAYOUT, status: 204 },
  { method: 'get', path: '/cron', summary: 'Cron steps, with their next and last ticks' },
  { method: 'post', path: '/cron/:step/trigger', summary: 'Has a cron step run now', status: 202 },
  { method: 'post', path: '/cron/:step/pause', summary: 'Pauses a cron step', status: 204 },
  { method: 'post', path: '/cron/:step/resume', summary: 'Lets a cron step go on', status: 204 },
  { method: 'get', path: '/queues', summary: 'Subscriptions: what waits, and why' },
  { method: 'get', path: SUBSCRIPTION, summary: 'One subscription' },
  { method: 'post', path: `${SUBSCRIPTION}/pause`, summary: 'Pauses a subscription', status: 204 },
  { method: 'post', path: `${SUBSCRIPTION}/resume`, summary: 'Lets a subscription go on', status: 204 },
  { method: 'post', path: '/events', summary: 'Emits an event', body: EVENT, status: 202 },
  { method: 'get', path: '/events/:id', summary: 'Where an event is' },
  { method: 'get', path: '/dead-letters', summary: 'Dead letters', query: ['step', 'after', 'limit', 'data'] },
  { method: 'get', path: LETTER, summary: 'One dead letter whole' },
  { method: 'post', path: `${LETTER}/retry`, summary: 'Has a dead letter tried again', status: 202 },
  {
    ...{ method: 'post', path: '/dead-letters/retry', summary: 'Has up to a thousand dead letters tried again' },
    ...{ query: ['step', 'after', 'until'], status: 202 },
  },
  { method: 'delete', path: LETTER, summary: 'Throws a dead letter away', status: 204 },
  { method: 'delete', path: '/dead-letters', summary: 'Throws away those of a step, or all', query: ['step', 'all'] },
  { method: 'get', path: '/orphans', summary: 'What steps that are gone have left' },
  { method: 'get', path: '/scheduled', summary: 'Events that wait for their time', query: ['limit', 'after'] },
  { method: 'delete', path: '/scheduled/:id', summary: 'Throws one away', status: 204 },
  { method: 'post', path: '/scheduled/:id/run', summary: 'Has it at once', status: 202 },
  { method: 'get', path: '/state/touched', summary: 'Which values the runs of a trace have touched', query: ['trace'] },
  { method: 'get', path: '/state/groups', summary: 'Groups of state', query: ['limit', 'after'] },
  { method: 'delete', path: '/state/groups/:group', summary: 'Removes all values of a group', status: 204 },
  { method: 'get', path: '/state/groups/:group/items', summary: 'Values of a group', query: ['limit', 'after'] },
  { method: 'get', path: VALUE, summary: 'A value, with its revision' },
  { method: 'put', path: VALUE, summary: 'Stores a value', query: ['ttl', 'ifRevision'], body: {} },
  { method: 'delete', path: VALUE, summary: 'Removes a value', status: 204 },
  { method: 'get', path: '/streams', summary: 'Realtime streams' },
  { method: 'get', path: '/streams/:stream/groups', summary: 'Groups of a stream', query: ['limit', 'after'] },
  { method: 'get', path: `${GROUP}/items`, summary: 'Items of a group', query: ['limit', 'after'] },
  { method: 'post', path: `${GROUP}/events`, summary: 'Sends to who follows a group', body: SENT, status: 202 },
  { method: 'get', path: ITEM, summary: 'An item' },
  { method: 'put', path: ITEM, summary: 'Stores an item', body: { type: 'object' } },
  { method: 'delete', path: ITEM, summary: 'Removes an item', status: 204 },
  { method: 'post', path: `${ITEM}/events`, summary: 'Sends to who follows an item', body: SENT, status: 202 },
  {
    ...{ method: 'get', path: '/traces', summary: 'What the app has done, the newest first' },
    query: [
      'status',
      'step',
      'flow',
      'since',
      'until',
      'minDuration',
      'maxDuration',
      'text',
      'limit',
      'cursor',
      'format',
    ],
  },
  { method: 'get', path: '/traces/:id', summary: 'One trace as a tree, with its log', query: ['format'] },
  {
    ...{
      method: 'post',
      path: '/traces/:id/spans/:span/replay',
      summary: 'Has a request, or an attempt at an event, again',
    },
    ...{ body: { type: 'object', properties: { headers: { type: 'object' } } }, status: 202 },
  },
  {
    ...{ method: 'get', path: '/logs', summary: 'What all processes have logged, the newest first' },
    query: [...LOG_FILTER, 'limit', 'cursor', 'format'],
  },
  {
    ...{ method: 'get', path: '/logs/follow', summary: 'What they log from now on, as server-sent events' },
    ...{ query: LOG_FILTER, type: 'text/event-stream' },
  },
];

const ERROR = {
  description: 'Refused: `error` says why',
  content: {
    'application/json': { schema: { type: 'object', required: ['error'], properties: { error: text } } },
  },
};

/** @param base path that all of them begin with. */
export function adminOpenApi(base: string, version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of ROUTES) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] ??= {};
    paths[path][route.method] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Motia admin API', version },
    servers: [{ url: base }],
    security: [{ token: [] }],
    paths,
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  };
}

function operation({ path, summary, query = [], body, status = 200, type = 'application/json' }: Route): object {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: text }));
  const inQuery = query.map((name) => ({ name, in: 'query', schema: PARAMETERS[name] }));
  const hasBody = status !== 204;
  return {
    summary,
    ...(inPath.length + inQuery.length > 0 && { parameters: [...inPath, ...inQuery] }),
    ...(body && { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      [status]: { description: 'Done', ...(hasBody && { content: { [type]: { schema: {} } } }) },
      default: ERROR,
    },
  };
}
