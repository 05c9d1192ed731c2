/** Where gateways tell a worker how far the callers of streamed answers are: one address for each answer. */
import type { Broker } from '../shared/broker/connect.ts';
import { isNoResponders, openInbox, type Reply } from '../shared/broker/inbox.ts';
import { Pending } from '../shared/broker/pending.ts';
import { type Credit, decodeCredit } from '../shared/protocol/frames.ts';

export interface CreditAddress {
  readonly subject: string;
  close(): void;
}

export class CreditInbox {
  readonly #broker: Broker;
  readonly #streams = new Pending<(credit: Credit) => void>();
  #prefix: string | undefined;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Opens an address. Frames that have it as their reply subject are answered there by the broker itself if nobody gets them. */
  open(onCredit: (credit: Credit) => void): CreditAddress {
    this.#prefix ??= openInbox(this.#broker, (token, reply) => this.#onReply(token, reply)).prefix;
    const token = this.#streams.add(() => onCredit);
    return { subject: this.#prefix + token, close: () => void this.#streams.take(token) };
  }

  #onReply(token: string, reply: Reply): void {
    const credit = isNoResponders(reply) ? { gone: true as const } : decodeCredit(reply.string());
    if (credit) this.#streams.get(token)?.(credit);
  }
}
