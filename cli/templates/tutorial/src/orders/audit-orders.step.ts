/** 5. Every minute: which orders wait for their payment for too long? */
import type { CronConfig, FlowContext } from 'motia';
import { ORDERS, type Order } from './order.ts';

const TOO_LONG_MS = 60_000;

export const config: CronConfig = {
  name: 'AuditOrders',
  type: 'cron',
  cron: '* * * * *',
  emits: [],
  flows: ['orders'],
};

export const handler = async ({ state, logger }: FlowContext) => {
  const orders = await state.getGroup<Order>(ORDERS);
  const late = orders.filter(
    ({ status, createdAt }) => status === 'waiting' && Date.now() - Date.parse(createdAt) > TOO_LONG_MS,
  );
  for (const { id } of late) logger.warn('This order is not paid yet', { order: id });
  logger.info('Orders audited', { orders: orders.length, late: late.length });
};
