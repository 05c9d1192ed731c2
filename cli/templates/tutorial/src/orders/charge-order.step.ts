/** 2. Charges the card. When the provider does not answer, the run fails and is tried again; a refused card is not. */
import type { EventConfig, FlowContext } from 'motia';
import { z } from 'zod';
import { CardRefused, charge } from '../services/payments.ts';
import { ORDERS, type Order } from './order.ts';

const input = z.object({ id: z.string(), card: z.string() });

export const config: EventConfig = {
  name: 'ChargeOrder',
  type: 'event',
  subscribes: ['order.created'],
  emits: ['order.settled'],
  input,
  flows: ['orders'],
  infrastructure: { queue: { maxRetries: 5, backoff: { initial: 0.5, max: 10 } } },
};

export const handler = async ({ id, card }: z.infer<typeof input>, ctx: FlowContext) => {
  const { emit, state, logger, attempt } = ctx;
  const order = await state.get<Order>(ORDERS, id);
  if (order?.status !== 'waiting') return; // an event may come again: what is done is not done twice
  logger.info('Charging', { order: id, attempt });
  try {
    const { receipt } = await charge(card, order.quantity);
    await state.set<Order>(ORDERS, id, { ...order, status: 'paid', receipt });
  } catch (error) {
    if (!(error instanceof CardRefused)) throw error;
    await state.set<Order>(ORDERS, id, { ...order, status: 'refused', reason: error.message });
  }
  await emit({ topic: 'order.settled', data: { id } });
};
