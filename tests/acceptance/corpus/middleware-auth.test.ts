/** Made for 0.9: chained middleware, some of it made by factories, that puts properties on the request. */
import { expect } from 'vitest';
import { call, corpusTest } from './corpus.ts';

corpusTest('middleware-auth-handler-example', { packages: { zod: 'zod3' } }, async ({ cli }) => {
  const tokenOf = async (input: object): Promise<{ authorization: string }> => {
    const { status, body } = await call(cli, 'POST', '/auth/token', input);
    expect({ status, decoded: body.decoded }).toMatchObject({ status: 200, decoded: input });
    return { authorization: `Bearer ${body.token}` };
  };
  const user = await tokenOf({ userId: 'u1', role: 'user' });
  const admin = await tokenOf({ userId: 'a1', role: 'admin', email: 'a1@example.com', permissions: ['write:users'] });
  const editor = await tokenOf({ userId: 'u2', role: 'user', permissions: ['write:users'] });
  const unauthorized = (message: string) => ({ status: 401, body: { error: 'Unauthorized', message } });

  expect(await call(cli, 'GET', '/profile')).toEqual(unauthorized('No authentication token provided'));
  expect(await call(cli, 'GET', '/profile', undefined, { authorization: 'Bearer no.token' })).toEqual(
    unauthorized('Invalid or expired token'),
  );
  expect(await call(cli, 'GET', '/profile', undefined, user)).toEqual({
    status: 200,
    body: {
      userId: 'u1',
      email: 'user@example.com',
      role: 'user',
      permissions: ['read:profile', 'write:profile'],
      message: 'Profile retrieved from JWT claims (verified once in middleware)',
    },
  });

  expect((await call(cli, 'GET', '/admin/dashboard')).status).toBe(401);
  expect(await call(cli, 'GET', '/admin/dashboard', undefined, user)).toEqual({
    status: 403,
    body: { error: 'Forbidden', message: 'This endpoint requires admin role' },
  });
  expect(await call(cli, 'GET', '/admin/dashboard', undefined, admin)).toEqual({
    status: 200,
    body: {
      message: 'Admin dashboard data',
      adminUser: { userId: 'a1', email: 'a1@example.com', role: 'admin' },
      data: { totalUsers: 1234, activeUsers: 567, recentSignups: 89 },
    },
  });

  expect(await call(cli, 'PUT', '/users/u1', { name: 'N' }, user)).toEqual({
    status: 403,
    body: { error: 'Forbidden', message: 'Insufficient permissions', required: ['write:users'] },
  });
  expect((await call(cli, 'PUT', '/users/other', { name: 'N' }, editor)).body.message).toBe(
    'You can only update your own profile',
  );
  expect(await call(cli, 'PUT', '/users/u2', { name: 'N' }, editor)).toMatchObject({
    status: 200,
    body: { message: 'User u2 updated successfully' },
  });
  expect(await call(cli, 'PUT', '/users/other', { name: 'N' }, admin)).toMatchObject({
    status: 200,
    body: { updatedBy: { userId: 'a1' } },
  });

  expect((await call(cli, 'GET', '/content')).body).toMatchObject({
    content: [{ id: 1 }, { id: 2 }],
    userContext: { authenticated: false },
  });
  expect((await call(cli, 'GET', '/content', undefined, user)).body).toMatchObject({
    content: [{ id: 1 }, { id: 2 }, { id: 3 }],
    userContext: { authenticated: true, userId: 'u1', role: 'user' },
  });

  // The body does not fit the schema, which the handler itself finds out by parsing it.
  expect((await call(cli, 'POST', '/orders', { productId: 'p' }, user)).status).toBe(500);
  const order = await call(cli, 'POST', '/orders', { productId: 'p1', quantity: 3 }, admin);
  expect(order).toEqual({
    status: 201,
    body: { orderId: expect.stringMatching(/^order-\d+$/), status: 'pending', message: 'Order created successfully' },
  });
  const { orderId } = order.body;
  const emitted = await cli.waitForLog({ msg: 'Order created and event emitted', orderId });
  const handled = await cli.waitForLog({ msg: 'Order processed successfully', orderId });
  expect(handled).toMatchObject({ step: 'ProcessOrder', traceId: emitted.traceId });
  expect(cli.logs({ msg: 'Admin order - applying priority processing' })).toHaveLength(1);
});
