// Clients of a realtime stream in a process of their own: they join a group, and note how old each change is when it comes.
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { percentiles } from './stats.mjs';

/**
 * @typedef {object} Open
 * @property {'open'} do
 * @property {string} url `ws://…`
 * @property {number} clients
 * @property {string} group
 */

const AT_A_TIME = 50;
let sockets = [];
/** Of the running measurement. */
let ages = [];
let expected = 0;
let done = () => {};
let firstAt = 0;
let lastAt = 0;

process.on('disconnect', () => process.exit());
process.on('message', async (message) => {
  if (message.do === 'open') process.send(await open(message));
  else if (message.do === 'expect') process.send(expect(message));
  else if (message.do === 'result') process.send(await result());
  else process.send(await close());
});
process.send('ready');

async function open({ url, clients, group }) {
  for (let opened = 0; opened < clients; opened += AT_A_TIME) {
    const some = Array.from({ length: Math.min(AT_A_TIME, clients - opened) }, () => join(url, group));
    sockets.push(...(await Promise.all(some)));
  }
  return sockets.length;
}

/** Resolves with a socket that follows the group. */
async function join(url, group) {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await once(socket, 'open');
  const data = { streamName: 'board', groupId: group, subscriptionId: 's' };
  socket.send(JSON.stringify({ type: 'join', data }));
  await once(socket, 'message'); // all items
  socket.on('message', onFrame);
  return socket;
}

const AT = Buffer.from('"at":');

function onFrame(bytes) {
  const now = performance.timeOrigin + performance.now();
  // Not parsed: a thousand clients in one process would measure that.
  const from = bytes.indexOf(AT) + AT.length;
  ages.push(now - Number.parseFloat(bytes.latin1Slice(from, from + 20)));
  if (ages.length === 1) firstAt = now;
  lastAt = now;
  if (ages.length === expected) done();
}

function expect({ frames }) {
  ages = [];
  expected = frames;
  return frames;
}

async function result() {
  if (ages.length < expected) {
    await new Promise((resolve, reject) => {
      done = resolve;
      setTimeout(() => reject(new Error(`${ages.length} of ${expected} frames`)), 60_000);
    });
  }
  return { ...percentiles(ages), perSecond: (ages.length / (lastAt - firstAt)) * 1000 };
}

async function close() {
  const ended = sockets.map((socket) => once(socket, 'close'));
  for (const socket of sockets) socket.close();
  await Promise.all(ended);
  sockets = [];
  return 0;
}
