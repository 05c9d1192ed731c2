/** 3. Tells the customer. Another step could listen to the same topic: each has its own copy of every event. */
import type { EventConfig, FlowContext } from 'motia';
import { z } from 'zod';
import { ORDERS, type Order } from './order.ts';

const input = z.object({ id: z.string() });

export const config: EventConfig = {
  name: 'NotifyCustomer',
  type: 'event',
  subscribes: ['order.settled'],
  emits: [],
  input,
  flows: ['orders'],
};

export const handler = async ({ id }: z.infer<typeof input>, { state, logger }: FlowContext) => {
  const order = await state.get<Order>(ORDERS, id);
  logger.info(`The order is ${order?.status}`, { order: id, receipt: order?.receipt, reason: order?.reason });
  await state.update<number>('notified', 'count', [{ type: 'increment' }]);
};
