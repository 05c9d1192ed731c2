/** 4. GET /orders/:id tells how far an order is. */
import type { ApiRequest, ApiRouteConfig, FlowContext } from 'motia';
import { ORDERS, type Order } from './order.ts';

export const config: ApiRouteConfig = {
  name: 'GetOrder',
  type: 'api',
  method: 'GET',
  path: '/orders/:id',
  emits: [],
  flows: ['orders'],
};

export const handler = async (req: ApiRequest, { state }: FlowContext) => {
  const order = await state.get<Order>(ORDERS, req.pathParams.id ?? '');
  return order ? { status: 200, body: order } : { status: 404, body: { error: 'No such order' } };
};
