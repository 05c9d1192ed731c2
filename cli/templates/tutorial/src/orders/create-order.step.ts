/** 1. POST /orders takes an order. The payment may take a while, so it is left to an event step. */
import type { ApiRequest, ApiRouteConfig, FlowContext } from 'motia';
import type { z } from 'zod';
import { newOrderSchema, ORDERS, type Order } from './order.ts';

export const config: ApiRouteConfig = {
  name: 'CreateOrder',
  type: 'api',
  method: 'POST',
  path: '/orders',
  description: 'Takes an order',
  bodySchema: newOrderSchema,
  emits: ['order.created'],
  flows: ['orders'],
};

export const handler = async (
  req: ApiRequest<z.infer<typeof newOrderSchema>>,
  { emit, state, logger, traceId }: FlowContext,
) => {
  const parsed = newOrderSchema.safeParse(req.body);
  if (!parsed.success) return { status: 400, body: { error: 'This is no order', issues: parsed.error.issues } };
  const { item, quantity, card } = parsed.data;
  const order: Order = { id: traceId, item, quantity, status: 'waiting', createdAt: new Date().toISOString() };
  await state.set(ORDERS, order.id, order);
  await emit({ topic: 'order.created', data: { id: order.id, card } });
  logger.info('Order taken', { order: order.id });
  return { status: 202, body: order };
};
