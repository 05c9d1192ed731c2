/** An address for replies: one subscription for any number of them, told apart by the last token. */
import type { Msg } from '@nats-io/transport-node';
import type { Broker } from './connect.ts';

export type Reply = Msg;

/** Opens an inbox; what is published to `prefix` + token arrives at `onReply`. */
export function openInbox(
  { nc, newInbox }: Pick<Broker, 'nc' | 'newInbox'>,
  onReply: (token: string, reply: Reply) => void,
): { prefix: string } {
  const prefix = `${newInbox()}.`;
  nc.subscribe(`${prefix}*`, {
    callback: (error, msg) => {
      if (error === null) onReply(msg.subject.slice(prefix.length), msg);
    },
  });
  return { prefix };
}

const NO_RESPONDERS = 503;

/** Whether the broker itself answered that nobody listens to the subject. */
export const isNoResponders = (reply: Reply): boolean =>
  reply.data.length === 0 && reply.headers?.code === NO_RESPONDERS;
