/** What browsers are told about requests from pages of other origins. */
import { expect, test } from 'vitest';
import { startCli } from '../../helpers/cli.ts';
import { send } from '../../helpers/http.ts';
import { createProject, fixtureApp } from '../../helpers/project.ts';

const OURS = 'https://app.example';
const STRANGER = 'https://evil.example';
const preflight = {
  method: 'OPTIONS',
  headers: {
    origin: OURS,
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'x-a, content-type',
    'access-control-request-private-network': 'true',
  },
};

test('by default every origin may call, without credentials', async () => {
  const cli = await startCli('dev', await createProject({ copyOf: fixtureApp('http') }));
  const { status, headers, body } = await send(`${cli.url}/echo/1`, preflight);
  expect({ status, length: body.length }).toEqual({ status: 204, length: 0 });
  expect(headers).toMatchObject({
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'DELETE, GET, PATCH, POST, PUT, HEAD, OPTIONS',
    'access-control-allow-headers': 'x-a, content-type',
    'access-control-allow-private-network': 'true',
    'access-control-max-age': '600',
  });
  expect(headers).not.toHaveProperty('access-control-allow-credentials');

  for (const path of ['/echo/1', '/nowhere', '/echo/%', '/throw?n=0']) {
    const answer = await send(cli.url + path, { headers: { origin: OURS } });
    expect(answer.headers['access-control-allow-origin'], path).toBe('*');
  }
  expect((await send(`${cli.url}/nowhere`, preflight)).status).toBe(404);
});

test('an OPTIONS step answers for itself', async () => {
  const cli = await startCli('dev', await createProject({ copyOf: fixtureApp('http') }));
  const { status, json } = await send(`${cli.url}/own-options`, { method: 'OPTIONS' });
  expect({ status, body: json() }).toEqual({ status: 200, body: { servedBy: 'options step' } });
});

test('of configured origins only those may call, with credentials', async () => {
  const project = await createProject({ copyOf: fixtureApp('http') });
  await project.write('motia.config.ts', `export default { http: { cors: { origins: ['${OURS}'] } } };`);
  const cli = await startCli('dev', project);
  const asked = await send(`${cli.url}/echo/1`, preflight);
  expect(asked.headers).toMatchObject({
    'access-control-allow-origin': OURS,
    'access-control-allow-credentials': 'true',
    vary: 'origin',
  });
  const refused = await send(`${cli.url}/echo/1`, {
    ...preflight,
    headers: { ...preflight.headers, origin: STRANGER },
  });
  expect(refused.headers).not.toHaveProperty('access-control-allow-origin');
  const simple = await send(`${cli.url}/echo/1`, { headers: { origin: STRANGER } });
  expect(simple.status).toBe(200);
  expect(simple.headers).not.toHaveProperty('access-control-allow-origin');
  expect(simple.headers.vary).toBe('origin');

  // A response that varies already keeps saying so.
  const both = await send(`${cli.url}/answer`, {
    method: 'POST',
    headers: { origin: OURS, 'content-type': 'application/json' },
    body: JSON.stringify({ response: { status: 200, headers: { vary: 'accept' } } }),
  });
  expect(both.headers.vary?.split(/, ?/).sort()).toEqual(['accept', 'origin']);
});

test('with `origins: false` nothing is said', async () => {
  const project = await createProject({ copyOf: fixtureApp('http') });
  await project.write('motia.config.ts', 'export default { http: { cors: { origins: false } } };');
  const cli = await startCli('dev', project);
  for (const request of [preflight, { headers: { origin: OURS } }]) {
    const { headers } = await send(`${cli.url}/echo/1`, request);
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  }
});
