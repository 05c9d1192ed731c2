/** The stream client in Chromium. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest';
import { errorsOf, openPage, type ServedPage, servePage } from '../helpers/browser.ts';
import type { RunningCli } from '../helpers/cli.ts';
import { PlainStreamServer } from '../helpers/plain-stream-server.ts';
import { changeUntil, type StreamApp, startStreamApp } from '../helpers/stream-app.ts';
import { eventually } from '../helpers/wait-for.ts';
import type { FollowPage } from './pages/follow.ts';

let pages: { follow: ServedPage; react: ServedPage };
let app: StreamApp;
/** Stays until the end. */
let gateway: RunningCli;
beforeAll(async () => {
  const [follow, react] = await Promise.all(
    ['follow', 'react'].map((name) => servePage(`tests/browser/pages/${name}.ts`)),
  );
  pages = { follow, react } as typeof pages;
  app = await startStreamApp();
  gateway = await app.startGateway();
});
afterAll(async () => {
  await Promise.all([app, pages.follow, pages.react].map((one) => one[Symbol.asyncDispose]()));
});

/** A page of `pages/follow.ts`, and what calls its functions. */
async function follow(context: TestContext) {
  const page = await openPage(context, pages.follow.url);
  const call = <Name extends keyof FollowPage>(name: Name, ...args: Parameters<FollowPage[Name]>) =>
    page.evaluate(
      ([name, args]) => (globalThis as unknown as Record<string, (...args: unknown[]) => unknown>)[name]?.(...args),
      [name as string, args as unknown[]] as const,
      // biome-ignore lint/suspicious/noExplicitAny: states and events of any shape; the tests say which
    ) as Promise<any>;
  return { page, call };
}

test('items, groups, their order and events', async (context) => {
  const { store } = app;
  const { page, call } = await follow(context);
  await store.set('board', 'g', 'a', { n: 10 });
  await store.set('board', 'g', 'b', { n: 9 });
  await call('connect', app.addresses(gateway));
  await call('follow', 'group', 'g');
  await call('follow', 'sorted', 'g', undefined, 'n');
  await call('follow', 'item', 'g', 'a');
  await call('follow', 'missing', 'h', 'x');
  const ids = async (name: string) => ((await call('state', name)) as { id: string }[]).map(({ id }) => id).join();
  await eventually(async () => (await ids('group')) === 'a,b');
  expect(await ids('sorted')).toBe('b,a');
  expect(await call('state', 'item')).toMatchObject({ id: 'a', n: 10 });

  await store.set('board', 'g', 'c', { n: 9.5 });
  await store.set('board', 'g', 'a', { n: 1 });
  await store.set('board', 'h', 'x', { n: 1 });
  await eventually(async () => (await ids('sorted')) === 'a,b,c' && (await call('state', 'missing')));
  expect(await ids('group')).toBe('a,b,c');
  await store.send('board', 'g', 'a', { type: 'typing', data: 1 });
  await store.send('board', 'g', undefined, { type: 'typing', data: 2 });
  await store.delete('board', 'g', 'a');
  await eventually(async () => (await call('state', 'item')) === null);
  await eventually(async () => (await call('events', 'group'))?.length === 2);
  expect(await call('events', 'group')).toEqual([1, 2]);
  expect(await call('events', 'sorted')).toEqual([1, 2]);
  expect(await call('events', 'item')).toEqual([1]);
  expect(errorsOf(page)).toEqual([]);
});

test('a gateway that is lost under a stream of changes costs none, and doubles none', async (context) => {
  const { store } = app;
  const { call } = await follow(context);
  const first = await app.startGateway();
  await call('connect', app.addresses(first, gateway));
  await call('follow', 'group', 'busy');
  await call('follow', 'item', 'busy', 'i1');
  const isBack = async () => (await call('connectionStates'))?.filter((state: string) => state === 'open').length === 2;
  await store.set('board', 'busy', 'i1', { n: 0 });
  await eventually(async () => (await call('state', 'item')) !== null);
  let over = false;
  const changes = changeUntil(store, ['busy'], () => over);
  await eventually(async () => ((await call('events', 'group'))?.length ?? 0) > 20);
  await first.stop('SIGKILL');
  await eventually(isBack);
  over = true;
  const count = await changes;
  const numbers = Array.from({ length: count }, (_, n) => n);
  await eventually(async () => (await call('state', 'item'))?.n === count);
  expect(await call('events', 'group')).toEqual(numbers);
  expect(await call('events', 'item')).toEqual(numbers);
  const stored = (await store.getGroup('board', 'busy')).map(({ __motia: _, ...data }) => data);
  expect(await call('state', 'group')).toEqual(stored);
});

test('it tries at once when the browser has a network again', async (context) => {
  let isAllowed = false;
  await using server = await PlainStreamServer.start(() => isAllowed);
  server.set('board', 'g', { id: 'a', n: 1 });
  const { call } = await follow(context);
  await call('connect', [server.url], { backoff: { first: 600_000, most: 600_000 } });
  await call('follow', 'group', 'g');
  await eventually(() => server.refusals === 1);
  isAllowed = true;
  await call('online');
  await eventually(async () => (await call('state', 'group'))?.length === 1);
});

test('a token is accepted as a protocol', async (context) => {
  await using server = await PlainStreamServer.start(
    ({ headers }) => headers['sec-websocket-protocol']?.replace(' ', '') === 'Authorization,good',
  );
  const { call } = await follow(context);
  await call('connect', [server.url], { authToken: 'bad' });
  await eventually(() => server.refusals > 1);
  await call('close');
  await call('connect', [server.url], { authToken: 'good' });
  await eventually(async () => (await call('connectionStates'))?.includes('open'));
  await call('connect', app.addresses(gateway), { authToken: 'good' });
  await eventually(
    async () => (await call('connectionStates'))?.filter((state: string) => state === 'open').length === 2,
  );
});

const text = (page: Page, id: string) => page.locator(`#${id}`).textContent();
const shows = (page: Page, id: string, wanted: string) =>
  eventually(async () => (await text(page, id)) === wanted, `"${wanted}" in #${id}`);

test('React components show items and groups, and hear events', async (context) => {
  await using server = await PlainStreamServer.start();
  server.set('board', 'g', { id: 'a', n: 10 });
  server.set('board', 'g', { id: 'b', n: 9 });
  server.set('board', 'h', { id: 'c', n: 1 });
  const page = await openPage(context, `${pages.react.url}#${server.url}`);
  await shows(page, 'tasks', 'b=9a=10');
  await shows(page, 'count', '2');
  await shows(page, 'connection', 'open');
  expect(await text(page, 'task')).toBe('none');
  await page.click('#choose');
  await shows(page, 'task', 'a=10');
  expect(server.subscriptions).toBe(1);

  server.set('board', 'g', { id: 'a', n: 1 });
  server.send({ streamName: 'board', groupId: 'g' }, 'typing', 'you');
  await shows(page, 'tasks', 'a=1b=9');
  await shows(page, 'task', 'a=1');
  await shows(page, 'typed', 'you');

  server.disconnect();
  await shows(page, 'connection', 'connecting');
  server.delete('board', 'g', 'a');
  await shows(page, 'connection', 'open');
  await shows(page, 'tasks', 'b=9');

  await page.click('#other-group');
  await shows(page, 'tasks', 'c=1');
  await page.click('#hide');
  await eventually(() => server.subscriptions === 0, 'the end of all subscriptions');
  expect(errorsOf(page)).toEqual([]);
});
