// The load generator: a process of its own that keeps HTTP connections busy, one request in flight on each (a closed
// loop without pipelining), over raw sockets because a full HTTP client would cost as much CPU as the server measured.
import net from 'node:net';
import { percentiles } from './stats.mjs';

/**
 * @typedef {object} LoadOrder
 * @property {number} port on 127.0.0.1
 * @property {string} method
 * @property {string} path
 * @property {string} [body] JSON
 * @property {number} connections
 * @property {number} seconds at most, if it is for a number of requests
 * @property {number} [requests] as soon as so many are answered, it ends
 * @property {number} [pauseMs] between the answer and the next request of a connection
 *
 * @typedef {object} LoadResult
 * @property {number} requests answered with 200
 * @property {number} failed other statuses, cut connections and unreadable answers
 * @property {number} perSecond
 * @property {number} p50 milliseconds
 * @property {number} p99 milliseconds
 */

let stop = () => {};

process.on('disconnect', () => process.exit());
process.on('message', async (/** @type {LoadOrder | 'stop'} */ message) => {
  if (message === 'stop') stop();
  else process.send(await run(message));
});
process.send('ready');

/** @param {LoadOrder} order @returns {Promise<LoadResult>} */
async function run(order) {
  const tally = {
    times: [],
    failed: 0,
    over: false,
    most: order.requests ?? Number.POSITIVE_INFINITY,
    end: () => stop(),
  };
  const closers = Array.from({ length: order.connections }, () => openConnection(order, requestBytes(order), tally));
  const startedAt = performance.now();
  await new Promise((resolve) => {
    const timer = setTimeout(resolve, order.seconds * 1000);
    stop = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  const seconds = (performance.now() - startedAt) / 1000;
  tally.over = true;
  for (const close of closers) close();
  const requests = tally.times.length;
  return { requests, failed: tally.failed, perSecond: requests / seconds, ...percentiles(tally.times) };
}

function openConnection(order, request, tally) {
  let socket;
  let sentAt = 0;
  let received;

  const send = () => {
    if (tally.over) return;
    sentAt = performance.now();
    socket.write(request);
  };

  const onData = (chunk) => {
    received = received ? Buffer.concat([received, chunk]) : chunk;
    const answer = readAnswer(received);
    if (!answer || tally.over) return;
    received = undefined;
    if (answer.status === 200) tally.times.push(performance.now() - sentAt);
    else tally.failed++;
    if (tally.times.length >= tally.most) tally.end();
    if (order.pauseMs) setTimeout(send, order.pauseMs);
    else send();
  };

  // A connection is only ever closed by the server, so a close is a failed request; go on with a new one.
  const onClose = () => {
    if (tally.over) return;
    tally.failed++;
    received = undefined;
    setTimeout(connect, 10);
  };

  const connect = () => {
    if (tally.over) return;
    socket = net.connect({ port: order.port, host: '127.0.0.1', noDelay: true }, send);
    socket
      .on('data', onData)
      .on('close', onClose)
      .on('error', () => {});
  };

  connect();
  return () => socket.destroy();
}

/** The status of a complete answer; undefined while bytes are missing. */
function readAnswer(bytes) {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = bytes.latin1Slice(0, headEnd);
  const length = /content-length: *(\d+)/i.exec(head);
  if (!length) throw new Error(`an answer without content-length: ${head}`);
  if (bytes.length < headEnd + 4 + Number(length[1])) return undefined;
  return { status: Number(head.slice(9, 12)) };
}

function requestBytes({ method, path, body }) {
  const content = body ? `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` : '';
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${content}\r\n${body ?? ''}`);
}
