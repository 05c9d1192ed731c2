/** The proxy of `deploy/haproxy`: a request finds a gateway that is there, however many others are not. */
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../helpers/free-port.ts';
import { findHaproxy } from '../../helpers/haproxy.ts';
import { createProject } from '../../helpers/project.ts';
import { countAnswers, startLoad } from '../../helpers/steady-load.ts';
import { startProxy } from './compose-processes.ts';

/** Long enough that a gateway has some requests under way, and one that is not there has the fewest. */
const HANDLING_MS = 60;
const PER_SECOND = 100;
/** Several checks of the proxy. */
const LOAD_MS = 2_000;

/** Where a gateway is or is to be. */
interface Place {
  port: number;
  check: number;
}

const freePlace = async (): Promise<Place> => ({ port: await freePort(), check: await freePort() });

async function startGateway({ port, check }: Place): Promise<void> {
  const serving = createServer((_, response) => setTimeout(() => response.end('served'), HANDLING_MS));
  const ready = createServer((_, response) => response.end('ready'));
  await new Promise<void>((resolve) => serving.listen(port, '127.0.0.1', resolve));
  await new Promise<void>((resolve) => ready.listen(check, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const server of [serving, ready]) server.close().closeAllConnections();
  });
}

test('two gateways of four are not there yet, and every request is answered', async (context) => {
  const haproxy = await findHaproxy();
  if (typeof haproxy === 'string') return context.skip(haproxy);
  const project = await createProject({ files: { 'package.json': '{ "name": "proxied" }' } });
  const places = await Promise.all(Array.from({ length: 4 }, freePlace));
  for (const place of places.slice(0, 2)) await startGateway(place);
  const proxied = places.map(({ port, check }) => ({ host: `127.0.0.1:${port}`, check: String(check) }));
  const url = await startProxy(project, haproxy, proxied);

  const load = startLoad({ call: () => fetch(url) }, PER_SECOND);
  await sleep(LOAD_MS);
  const answers = await load.stop();
  expect(answers.length).toBeGreaterThan(LOAD_MS / 50);
  expect(countAnswers(answers)).toEqual({ 'call 200': answers.length });
});
