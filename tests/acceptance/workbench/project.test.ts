/** What the admin API has of the project's own files for the Workbench, and who may change something. */
import { beforeAll, expect, test } from 'vitest';
import { type NatsServer, startNatsServer } from '../../../testing/nats-server.ts';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { send } from '../../helpers/http.ts';
import { createProject, type Project } from '../../helpers/project.ts';

const HELLO = `
export const config = { type: 'api', name: 'Hello', method: 'GET', path: '/hello', emits: [], flows: ['greet'] };
export const handler = async () => ({ status: 200, body: {} });
`;
const NOTE = `
export const config = { type: 'event', name: 'Note it', subscribes: ['note'], emits: [] };
export const handler = async () => {};
`;
const COMPONENT = `
import { useState } from 'react';
import { ApiNode, type ApiNodeProps } from 'motia/workbench';
import { colour } from './colour';
export const Node = (props: ApiNodeProps) => {
  const [n] = useState(7);
  return <ApiNode {...props}>{\`\${colour} \${n}\`}</ApiNode>;
};
`;
const feature = { id: 'route', title: 'The route', description: 'where it is', lines: ['2-3', '5'] };
const LAYOUT = 'motia-workbench.json';

let server: NatsServer;
let project: Project;
let cli: RunningCli;
beforeAll(async () => {
  server = await startNatsServer();
  project = await createProject({
    files: {
      'package.json': '{ "name": "shown", "type": "module" }',
      'motia.config.ts': "export default { workbench: { traceUrl: 'http://localhost:16686/trace/{traceId}' } };",
      'src/hello.step.ts': HELLO,
      'src/note.step.js': NOTE,
      'tutorial/hello.step.ts-features.json': JSON.stringify([feature]),
    },
  });
  cli = await startCli('dev', project, { env: { NATS_URL: server.url } });
  return () => server.stop();
});

const admin = async (path: string, method = 'GET', body?: unknown, headers = {}) => {
  const response = await send(`${cli.url}/__motia/api/v1${path}`, {
    method,
    headers: { 'x-motia-request': '1', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: response.body.length > 0 ? response.json() : undefined };
};

test('the app, and the source of its steps', async () => {
  expect((await admin('/app')).body).toEqual({
    app: 'shown',
    version: expect.stringMatching(/^[0-9a-f]{16}$/),
    language: ['node'],
    mode: 'dev',
    motiaVersion: expect.stringMatching(/^\d+\.\d+\.\d+/),
    startedAt: expect.stringMatching(/Z$/),
    writable: { layout: true },
    tutorial: false,
    jaegerUrl: 'http://localhost:16686/trace/{traceId}',
    tracing: { stored: true, exported: false, payloads: true },
  });
  const { lines: _, ...told } = feature;
  const lines = [
    [2, 3],
    [5, 5],
  ];
  expect((await admin('/steps/Hello/source')).body).toEqual({
    path: 'src/hello.step.ts',
    language: 'typescript',
    content: HELLO,
    features: [{ ...told, lines }],
  });
  expect((await admin('/steps/Note%20it/source')).body).toMatchObject({
    language: 'javascript',
    content: NOTE,
    features: [],
  });
  expect((await admin('/steps/None/source')).status).toBe(404);
});

test('a component of the project shows a step: with the React of the page, and with what else it imports', async () => {
  await project.write('src/hello.step.tsx', COMPONENT);
  await project.write('src/colour.ts', "export const colour: string = 'red';");
  expect((await admin('/steps')).body.nodeComponents).toEqual(['Hello']);
  const get = () => send(`${cli.url}/__motia/api/v1/steps/Hello/node.js`);
  const { status, text, headers } = await get();
  expect([status, headers['content-type']]).toEqual([200, 'text/javascript; charset=utf-8']);
  const jsx = (type: unknown, props: object) => ({ type, ...props });
  const modules = {
    react: { useState: (value: unknown) => [value] },
    'react/jsx-runtime': { jsx, jsxs: jsx },
    'motia/workbench': { ApiNode: 'api-node' },
  };
  Object.assign(globalThis, { motiaWorkbench: { modules } });
  const { Node } = await import(`data:text/javascript,${encodeURIComponent(text)}`);
  expect(Node({ data: 1 })).toEqual({ type: 'api-node', data: 1, children: 'red 7' });

  await project.write('src/hello.step.tsx', 'export const Node = (');
  expect(await get()).toMatchObject({ status: 409, text: expect.stringContaining('src/hello.step.tsx:1') });
  await project.remove('src/hello.step.tsx');
  expect((await get()).status).toBe(404);
  expect((await admin('/steps')).body.nodeComponents).toEqual([]);
});

test('a tutorial of the project, as one module', async () => {
  expect((await admin('/tutorial.js')).status).toBe(404);
  await project.write(
    'tutorial/tutorial.tsx',
    "export const steps = [{ title: 'Hello', description: () => <p>there</p> }];",
  );
  expect((await admin('/app')).body.tutorial).toBe(true);
  const { status, text, headers } = await send(`${cli.url}/__motia/api/v1/tutorial.js`);
  expect([status, headers['content-type']]).toEqual([200, 'text/javascript; charset=utf-8']);
  expect(text).toContain('motiaWorkbench.modules["react/jsx-runtime"]');
  await project.remove('tutorial/tutorial.tsx');
});

test('layouts of flows: read, stored, edited by others, and never lost', async () => {
  expect(await admin('/flows/layout')).toEqual({ status: 200, body: [] });
  const at = (x: number) => ({ config: { 'src/hello.step.ts': { x, y: 2.5, sourceHandlePosition: 'right' } } });
  for (const [flow, x] of [
    ['a/b', 1],
    ['greet', 2],
    ['a/b', 3],
  ] as const) {
    expect((await admin(`/flows/layout/${encodeURIComponent(flow)}`, 'PUT', at(x))).status).toBe(204);
  }
  const layouts = [
    { id: 'greet', ...at(2) },
    { id: 'a/b', ...at(3) },
  ];
  expect((await admin('/flows/layout')).body).toEqual(layouts);
  expect(await project.read(LAYOUT)).toBe(`${JSON.stringify(layouts, null, 2)}\n`);
  const what = { action: 'admin_change', path: '/__motia/api/v1/flows/layout/greet' };
  expect(await cli.waitForLog(what)).toMatchObject({ actor: 'local', method: 'PUT', status: 204 });

  for (const wrong of [[], {}, { config: { a: { x: 'left', y: 1 } } }]) {
    expect((await admin('/flows/layout/greet', 'PUT', wrong)).status, JSON.stringify(wrong)).toBe(400);
  }
  await project.write(LAYOUT, '[{ "id": "greet", "config": {} }]');
  expect((await admin('/flows/layout')).body).toEqual([{ id: 'greet', config: {} }]);
  for (const broken of ['[{', '{"id":1}']) {
    await project.write(LAYOUT, broken);
    const refused = { status: 409, body: { error: expect.stringContaining(LAYOUT) } };
    expect([await admin('/flows/layout'), await admin('/flows/layout/greet', 'PUT', at(1))]).toEqual([
      refused,
      refused,
    ]);
    expect(await project.read(LAYOUT)).toBe(broken);
  }
});

test('no page of another site changes anything, and none without the token elsewhere', async () => {
  const path = '/state/groups/g/items/k';
  const json = { 'content-type': 'application/json' };
  for (const [why, headers] of Object.entries({
    'other origin': { ...json, origin: 'https://evil.example.com' },
    'other origin, said by the browser': { ...json, 'sec-fetch-site': 'cross-site' },
    'DNS rebinding': { ...json, host: 'evil.example.com' },
    'a proxy': { ...json, 'x-forwarded-for': '1.2.3.4' },
    'a form': { 'content-type': 'application/x-www-form-urlencoded' },
    'a form of text': { 'content-type': 'text/plain' },
    'nothing said': {},
  })) {
    const refused = await send(`${cli.url}/__motia/api/v1${path}`, { method: 'PUT', headers, body: '1' });
    expect(refused.status, why).toBe(403);
    const emit = await send(`${cli.url}/emit`, { method: 'POST', headers, body: '{"topic":"note"}' });
    expect(emit.status, why).toBe(403);
  }
  expect((await admin(path)).status).toBe(404);
  expect((await send(`${cli.url}/__motia/api/v1${path}`, { method: 'PUT', headers: json, body: '1' })).status).toBe(
    200,
  );

  const env = { NATS_URL: server.url, MOTIA_ADMIN_TOKEN: 'secret' };
  await using gateway = await startCli('gateway', project, { env });
  const remove = (headers: Record<string, string>) =>
    send(`${gateway.url}/__motia/api/v1${path}?why=test`, { method: 'DELETE', headers });
  expect((await remove({ 'x-motia-request': '1' })).status).toBe(401);
  expect((await remove({ authorization: 'Bearer wrong' })).status).toBe(401);
  expect((await remove({ authorization: 'Bearer secret' })).status).toBe(204);
  const line = await gateway.waitForLog({ action: 'admin_change' });
  expect(line).toMatchObject({ actor: 'token', address: expect.any(String), query: 'why=test', method: 'DELETE' });
  const headers = { authorization: 'Bearer secret' };
  const get = async (path: string) => (await send(`${gateway.url}/__motia/api/v1${path}`, { headers })).json();
  expect(await get('/app')).toMatchObject({
    mode: 'gateway',
    writable: { layout: false },
    tracing: { payloads: false },
  });
  expect(await get('/steps/Hello/source')).toEqual({ error: expect.stringContaining('not on this machine') });
  expect(await get('/flows/layout')).toEqual([]);
});
