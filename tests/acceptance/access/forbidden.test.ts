/** What no user may do, each refused by the server itself: a client of each role tries it. */
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { relayBookings } from '../../../shared/broker/bookings.ts';
import { type Broker, connectBroker } from '../../../shared/broker/connect.ts';
import { readEntry, writeEntry } from '../../../shared/broker/key-value.ts';
import { publishStored } from '../../../shared/broker/publish.ts';
import { readPage } from '../../../shared/broker/stored-messages.ts';
import { createNames } from '../../../shared/protocol/subjects.ts';
import { startCli } from '../../helpers/cli.ts';
import { createProject, type Project } from '../../helpers/project.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { nodeFiles } from './app-files.ts';
import { type LockedBroker, PARTITIONS, startLockedBroker, writeConfig } from './locked-broker.ts';

const names = createNames('locked', PARTITIONS);
const { streams, buckets } = names;
const api = (request: string) => `$JS.API.${request}`;

/** Of nobody but whoever provisions. */
const MAKING: Record<string, string> = {
  'makes a stream': api(`STREAM.CREATE.${streams.events}`),
  'makes a stream of another name': api('STREAM.CREATE.other'),
  'changes a stream': api(`STREAM.UPDATE.${streams.events}`),
  'makes a consumer': api(`CONSUMER.CREATE.${streams.events}.mine`),
  'makes a durable consumer': api(`CONSUMER.DURABLE.CREATE.${streams.events}.mine`),
  'makes a filtered consumer': api(`CONSUMER.CREATE.${streams.events}.mine.${names.event('order.node')}`),
  'takes a consumer away': api(`CONSUMER.DELETE.${streams.events}.${names.subscription('OnNode', 'order.node')}`),
};
/** Of nobody at all. */
const NEVER: Record<string, string> = {
  'takes a stream away': api(`STREAM.DELETE.${streams.events}`),
  'takes the stream of another app away': api('STREAM.DELETE.other_EVENTS'),
  'lists all streams': api('STREAM.LIST'),
  'asks the server to step down': api('META.LEADER.STEPDOWN'),
  'answers as the server': '$SYS.REQ.SERVER.PING',
};
const EVENTS: Record<string, string> = {
  'reads events': api(`DIRECT.GET.${streams.events}`),
  'reads an event': api(`STREAM.MSG.GET.${streams.events}`),
  'reads dead letters': api(`DIRECT.GET.${streams.dead}`),
  'takes events away': api(`STREAM.PURGE.${streams.events}`),
};
const STATE: Record<string, string> = {
  'reads state': api(`DIRECT.GET.KV_${buckets.state}`),
  'writes state': `$KV.${buckets.state}.group.key`,
  'empties state': api(`STREAM.PURGE.KV_${buckets.state}`),
};
/** What only concerns groups of state that a worker does not have. */
const OTHER_GROUPS: Record<string, string> = {
  ...{ 'reads state': api(`DIRECT.GET.KV_${buckets.state}`), 'empties state': api(`STREAM.PURGE.KV_${buckets.state}`) },
  'reads a value of another group': api(`DIRECT.GET.KV_${buckets.state}.$KV.${buckets.state}.done.one`),
  'reads any value': api(`DIRECT.GET.KV_${buckets.state}.$KV.${buckets.state}.>`),
  'reads a value from the leader': api(`STREAM.MSG.GET.KV_${buckets.state}`),
  'reads all of another group': api(`CONSUMER.CREATE.KV_${buckets.state}.mine.$KV.${buckets.state}.done.*`),
  'reads all of every group': api(`CONSUMER.CREATE.KV_${buckets.state}.mine.$KV.${buckets.state}.*.*`),
  'reads all that there is': api(`CONSUMER.CREATE.KV_${buckets.state}.mine`),
  'reads all that there is for good': api(`CONSUMER.DURABLE.CREATE.KV_${buckets.state}.mine`),
  'lists groups': api(`STREAM.INFO.KV_${buckets.state}`),
  'lists who reads': api(`CONSUMER.NAMES.KV_${buckets.state}`),
  'writes a value of another group': `$KV.${buckets.state}.done.one`,
  'removes a single value': api(`STREAM.MSG.DELETE.KV_${buckets.state}`),
};
const take = (step: string, topic: string) =>
  api(`CONSUMER.MSG.NEXT.${streams.events}.${names.subscription(step, topic)}`);

const FORBIDDEN: Record<string, Record<string, string>> = {
  gateway: {
    ...{ ...MAKING, ...NEVER, ...EVENTS, ...STATE },
    'takes events': take('OnNode', 'order.node'),
    'emits an event': names.event('order.node'),
    'schedules an event': names.delayed('one'),
    'fires a tick': names.tick('Tick'),
    'writes an item': `$KV.${buckets.streams}.board.all.one`,
    'publishes a manifest': `$KV.${buckets.manifest}.current`,
    'takes the lead of schedulers': `$KV.${buckets.leases}.${names.schedulerLease}`,
  },
  shop: {
    ...{ ...MAKING, ...NEVER, ...EVENTS },
    'emits what no step of it emits': names.event('order.other'),
    'emits that to a message group': names.event('order.other', 'a'),
    'takes the events of another group': take('Mailer', 'order.python'),
    'takes a call that it does not serve': api(`CONSUMER.MSG.NEXT.${streams.requests}.Other`),
    'acks what others have': `$JS.ACK.${streams.events}.${names.subscription('Mailer', 'order.python')}.1.1.1.1.0`,
    'has another step try again': names.retry(names.subscription('Mailer', 'order.python')),
    'makes a schedule, even for a step of its own': names.schedule(names.subscription('OnNode', 'order.node'), 'one'),
    'makes a schedule of an event': names.delayed('one'),
    'has a schedule fire at once': names.fireEvent('order.node'),
    'books another attempt for another step': names.bookRetry(names.subscription('Mailer', 'order.python')),
    'books an event that no step of it emits': names.bookEvent('order.other'),
    'buries for another step': names.dead('Mailer'),
    'calls a step': names.request('Order'),
    'fires a tick': names.tick('Tick'),
    'writes the record of another cron step': `$KV.${buckets.leases}.${names.cronRuns('Other')}`,
    'takes the lead of schedulers': `$KV.${buckets.leases}.${names.schedulerLease}`,
    'forgets the leases of others': api(`STREAM.PURGE.KV_${buckets.leases}`),
    'publishes a manifest': `$KV.${buckets.manifest}.current`,
    'writes an item of no stream': `$KV.${buckets.streams}.other.all.one`,
    'reads answers that are kept': api(`DIRECT.GET.KV_${buckets.answers}`),
  },
  mail: {
    'takes the events of another group': take('OnNode', 'order.node'),
    'emits what another group emits': names.event('order.flaky'),
    'books an event, since no step of it emits': names.bookEvent('order.node'),
  },
  till: OTHER_GROUPS,
  scheduler: {
    ...{ ...MAKING, ...NEVER, ...STATE },
    'takes events': take('OnNode', 'order.node'),
    'takes events away': api(`STREAM.PURGE.${streams.events}`),
    'emits an event': names.event('order.node'),
    'calls a step': names.request('Order'),
  },
  admin: { ...MAKING, ...NEVER, 'takes events': take('OnNode', 'order.node') },
  provision: NEVER,
};

const GROUPS = ['shop=flows:shop', 'mail=flows:mail', 'till=flows:till'].flatMap((group) => ['--group', group]);
let project: Project;
let broker: LockedBroker;
afterAll(() => broker?.stop());
const clients = new Map<string, Broker>();

beforeAll(async () => {
  const mailer = `export const config = { type: 'event', name: 'Mailer', subscribes: ['order.python'], emits: [], flows: ['mail'] };
    export const handler = async () => {};\n`;
  project = await createProject({ files: { ...nodeFiles, 'src/mailer.step.js': mailer } });
  await writeConfig(project, ...GROUPS);
  broker = await startLockedBroker(project);
  const provision = await startCli('provision', project, { env: broker.env('provision'), ready: false });
  expect(await provision.exited, provision.output()).toBe(0);
  for (const user of Object.keys(FORBIDDEN)) {
    clients.set(user, await connectBroker(broker.address(user), { name: user }));
  }
}, 120_000);
afterAll(() => Promise.all([...clients.values()].map((client) => client.close())));

const closing = (own: Broker) => ({ broker: own, [Symbol.asyncDispose]: () => own.close() });
const client = (user: string) => clients.get(user) as Broker;

describe.each(Object.entries(FORBIDDEN))('%s', (user, actions) => {
  test.each(Object.entries(actions))('is refused when it %s', async (_, subject) => {
    const request = client(user).mux.request(subject, '{}', { timeoutMs: 3_000 });
    await expect(request).rejects.toThrow(`the broker does not let this user publish to ${subject}:`);
  });

  test('hears neither the answers of others nor what is emitted', async () => {
    const own = client(user);
    const others = [...clients].flatMap(([name, other]) => (name === user ? [] : [other.newInbox()]));
    const inboxes = others.map((inbox) => `${inbox.split('.')[0]}.>`);
    for (const subject of ['>', '_INBOX.>', names.events, names.requests, '$KV.>', ...inboxes]) {
      const heard = new Promise((resolve) => {
        own.nc.subscribe(subject, { callback: (error) => resolve(error?.message) });
      });
      expect(await heard).toBe(`Permissions Violation for Subscription to "${subject}"`);
    }
  });
});

test('what a request for a group of its own says in its body or headers reaches no other group', async () => {
  const [till, admin] = [client('till'), client('admin')];
  const [stream, own, other] = [`KV_${buckets.state}`, names.stateGroup('till'), names.stateGroup('done')];
  await writeEntry(admin, buckets.state, names.stateKey('done', 'one'), '1');
  const create = async (filter: object) => {
    const config = { name: 'mine', deliver_policy: 'all', ack_policy: 'none', ...filter };
    const request = JSON.stringify({ stream_name: stream, config });
    const subject = api(`CONSUMER.CREATE.${stream}.mine.$KV.${buckets.state}.${own}`);
    return (await till.mux.request(subject, request)).json<{ error?: object }>();
  };
  const [ownSubject, otherSubject] = [own, other].map((keys) => `$KV.${buckets.state}.${keys}`);
  expect(await create({ filter_subject: ownSubject })).not.toHaveProperty('error');
  expect(await create({ filter_subject: otherSubject })).toHaveProperty('error');
  expect(await create({ filter_subjects: [ownSubject, otherSubject] })).toHaveProperty('error');
  expect(await create({})).toHaveProperty('error');
  const key = names.stateKey('till', 'k');
  const query = JSON.stringify({ last_by_subj: otherSubject });
  const read = await till.mux.request(api(`DIRECT.GET.${stream}.$KV.${buckets.state}.${key}`), query);
  expect(read.headers?.code).toBe(408);
  await expect(writeEntry(till, buckets.state, key, '', { 'Nats-Rollup': 'all' })).rejects.toMatchObject({
    code: 'BROKER_REFUSED',
  });
  expect((await readEntry(admin, buckets.state, names.stateKey('done', 'one')))?.data.toString()).toBe('1');
});

test('the target of a schedule follows from the subject of its booking, which can name no other', async () => {
  const [shop, scheduler, admin] = [client('shop'), client('scheduler'), client('admin')];
  const booking = { 'Nats-Msg-Id': 'one', 'Motia-Deliver-At': '4102444800000' };
  const smuggled = { 'Nats-Schedule': '@at 2099-01-01T00:00:00Z', 'Nats-Schedule-Target': names.fireEvent('secret') };
  const book = (headers: object) =>
    publishStored(shop, names.bookEvent('order.node'), '{}', { ...booking, ...headers });
  await expect(book(smuggled)).rejects.toMatchObject({ code: 'BROKER_REFUSED' });
  await book({});
  const stop = relayBookings(scheduler, names, pino({ level: 'silent' }));
  const stored = await waitFor(async () => {
    const { messages } = await readPage(admin, streams.scheduled, names.schedules, 1, 10);
    return messages[0];
  });
  await stop();
  expect(stored.headers?.get('Nats-Schedule-Target')).toBe(names.fireEvent('order.node'));
  expect(stored.headers?.get('Nats-Schedule')).toBe('@at 2100-01-01T00:00:00.000Z');
});

test('a second run keeps the keys, and the server learns what new steps may do', async () => {
  const step = `export const config = { type: 'api', name: 'New', method: 'POST', path: '/new', emits: ['order.other'], flows: ['shop'] };
    export const handler = async () => ({ status: 200 });\n`;
  await project.write('src/new.step.js', step);
  await writeConfig(project, ...GROUPS);
  broker.reload();
  // Nobody listens to the topic, so nothing is kept; that it is answered at all is the permission.
  await waitFor(async () => {
    await using shop = closing(await connectBroker(broker.address('shop'), { name: 'shop' }));
    await publishStored(shop.broker, names.event('order.other'), '{}', { 'Nats-Msg-Id': 'new' });
    return true;
  });
});

test('another key, or none, is no login', async () => {
  for (const login of [{ servers: `nats://127.0.0.1:${broker.port}` }]) {
    await expect(connectBroker(login, { name: 'nobody' })).rejects.toMatchObject({ code: 'BROKER_AUTH' });
  }
});
