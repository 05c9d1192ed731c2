/**
 * Publishes at the end of the current turn of the event loop, all that was sent in it together: one write to the socket for many
 * messages instead of one for each.
 */
import type { MsgHdrs, NatsConnection } from '@nats-io/transport-node';

export interface Send {
  (subject: string, data: Uint8Array | string, reply?: string, headers?: MsgHdrs): void;
  /** Publishes now what was sent in this turn: it is on the socket before any microtask queued after this call. */
  flush(): void;
}

interface Outgoing {
  subject: string;
  data: Uint8Array | string;
  options: { reply?: string; headers?: MsgHdrs };
}

/** Makes the sending function of a connection. What is sent after the connection closed is dropped. */
export function createSender(nc: NatsConnection): Send {
  let outgoing: Outgoing[] = [];
  const flush = () => {
    const messages = outgoing;
    outgoing = [];
    if (nc.isClosed()) return;
    for (const { subject, data, options } of messages) {
      // Small buffers come from a pool; the client would make one of its own for every text.
      nc.publish(subject, typeof data === 'string' ? Buffer.from(data) : data, options);
    }
  };
  const send = (subject: string, data: Uint8Array | string, reply?: string, headers?: MsgHdrs) => {
    if (outgoing.length === 0) setImmediate(flush);
    const options: Outgoing['options'] = {};
    if (reply !== undefined) options.reply = reply;
    if (headers !== undefined) options.headers = headers;
    outgoing.push({ subject, data, options });
  };
  return Object.assign(send, { flush });
}
