// What the bare JetStream peers share: the connection, one inbox for all answers, and the frame around an HTTP message.
import { connect as connectNats, createInbox } from '@nats-io/transport-node';

/** @param {string} servers */
export const connect = (servers) => connectNats({ servers, noAsyncTraces: true });

/**
 * How a peer publishes: as the client does, which writes to the socket at the end of each callback, so once for every HTTP
 * request; or `batched`, the messages of one turn of the event loop with one write, as ours does.
 *
 * @param {'plain' | 'batched'} manner
 */
export function publisher(nc, manner) {
  return manner === 'batched' ? batchedPublish(nc) : (...message) => nc.publish(...message);
}

function batchedPublish(nc) {
  let batch = [];
  const flush = () => {
    const messages = batch;
    batch = [];
    for (const message of messages) nc.publish(...message);
  };
  return (subject, data, options) => {
    if (batch.push([subject, data, options]) === 1) setImmediate(flush);
  };
}

/** One subscription for all answers to this process: the library's `request` makes a timer and more per call. */
export class Inbox {
  #prefix = `${createInbox()}.`;
  #waiting = new Map();
  #count = 0;

  constructor(nc) {
    nc.subscribe(`${this.#prefix}*`, { callback: (_, message) => this.#waiting.get(message.subject)?.(message.data) });
  }

  /**
   * A subject to reply to. `onData` gets every message to it, until `forget`.
   *
   * @param {(data: Uint8Array) => void} onData
   */
  expect(onData) {
    const subject = this.#prefix + (this.#count++).toString(36);
    this.#waiting.set(subject, onData);
    return subject;
  }

  /** @param {string} subject */
  forget(subject) {
    this.#waiting.delete(subject);
  }
}

/** Resolves once the broker has stored the message. */
export function publishStored(nc, inbox, subject, data) {
  return new Promise((resolve, reject) => {
    const reply = inbox.expect((ack) => {
      inbox.forget(reply);
      const error = publishError(ack);
      if (error) reject(error);
      else resolve();
    });
    nc.publish(subject, data, { reply });
  });
}

/** Why the broker refused a message, from its publish acknowledgement. @param {Uint8Array} ack */
export function publishError(ack) {
  if (ack.length === 0) return new Error('no stream listens');
  const { error } = JSON.parse(Buffer.from(ack).toString());
  return error && new Error(error.description);
}

/** Four bytes of length, the head as JSON, the body as it is. @param {object} head @param {Uint8Array} body */
export function frame(head, body) {
  const json = Buffer.from(JSON.stringify(head));
  const bytes = Buffer.allocUnsafe(4 + json.length + body.length);
  bytes.writeUInt32BE(json.length);
  bytes.set(json, 4);
  bytes.set(body, 4 + json.length);
  return bytes;
}

/** @param {Uint8Array} data */
export function unframe(data) {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const bodyStart = 4 + bytes.readUInt32BE(0);
  return { head: JSON.parse(bytes.utf8Slice(4, bodyStart)), body: bytes.subarray(bodyStart) };
}
