/** Made for 0.9: a workflow that stops until a person decides. */
import { expect } from 'vitest';
import { waitFor } from '../../helpers/wait-for.ts';
import { call, corpusTest } from './corpus.ts';

/** The project's risk score has a random part of up to 40; over 70 a person has to decide. */
const SMALL = { items: [{ name: 'pen', price: 5, quantity: 2 }], total: 10, customerEmail: 'a@example.com' }; // 0 to 40
const LARGE = { items: [{ name: 'server', price: 500, quantity: 20 }], total: 10_000, customerEmail: 'b@example.com' }; // 70 to 110

corpusTest('human-in-the-loop', { packages: { zod: 'zod' } }, async ({ cli }) => {
  const submit = async (order: object): Promise<string> => {
    const { status, body } = await call(cli, 'POST', '/orders', { customerId: 'c1', ...order });
    expect({ status, body }).toEqual({
      status: 201,
      body: {
        orderId: expect.any(String),
        status: 'pending_analysis',
        message: 'Order submitted successfully. Analyzing risk...',
      },
    });
    return body.orderId;
  };
  const decide = (orderId: string, approved: boolean) =>
    call(cli, 'POST', `/webhooks/orders/${orderId}/approve`, { approved, approvedBy: 'Ann', notes: 'seen' });
  const submitLarge = async (): Promise<string> => {
    // With a random part below half a point the score is 70, just not large: then another one will do.
    for (let attempt = 0; attempt < 5; attempt++) {
      const orderId = await submit(LARGE);
      const { riskScore } = await cli.waitForLog({ msg: 'Risk analysis completed', orderId });
      if (Number(riskScore) > 70) return orderId;
    }
    throw new Error('five scores of 70 in a row');
  };

  const small = await submit(SMALL);
  const completed = await cli.waitForLog({ msg: 'Order completed successfully', orderId: small });
  expect(completed).toMatchObject({ step: 'CompleteOrder', total: 10, approvedBy: 'system' });
  expect(await decide(small, true)).toEqual({
    status: 400,
    body: { error: 'Order is not awaiting approval. Current status: completed' },
  });

  const large = await submitLarge();
  await cli.waitForLog({ msg: 'Order requires approval - workflow paused', orderId: large });
  const { status, body } = await decide(large, true);
  expect({ status, success: body.success }).toEqual({ status: 200, success: true });
  expect(body.order).toMatchObject({
    id: large,
    status: 'approved',
    approvedBy: 'Ann',
    approvalNotes: 'seen',
    requiresApproval: true,
    completedSteps: ['submitted', 'risk_analysis', 'approved'],
  });
  expect(await cli.waitForLog({ msg: 'Order completed successfully', orderId: large })).toMatchObject({
    approvedBy: 'Ann',
  });
  expect((await decide(large, true)).status).toBe(400);

  const rejected = await submitLarge();
  await cli.waitForLog({ msg: 'Order requires approval - workflow paused', orderId: rejected });
  expect((await decide(rejected, false)).body).toMatchObject({
    message: 'Order rejected',
    order: { status: 'rejected', rejectionReason: 'seen' },
  });

  expect((await decide('unknown', true)).status).toBe(404);

  const schedules = await cli.fetch('/__motia/api/v1/cron');
  expect(await schedules.json()).toMatchObject([{ step: 'DetectTimeouts', cron: '*/5 * * * *', paused: false }]);
  const run = { method: 'POST', headers: { 'x-motia-request': '1' } };
  expect((await cli.fetch('/__motia/api/v1/cron/DetectTimeouts/trigger', run)).status).toBe(202);
  await waitFor(async () => {
    const { body } = await call(cli, 'GET', '/__motia/api/v1/cron');
    return body[0].last?.outcome === 'succeeded';
  });
});
