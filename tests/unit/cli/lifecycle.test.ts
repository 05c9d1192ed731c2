/** Closing: in reverse, once, in bounded time, whatever the closers do. */
import { expect, test } from 'vitest';
import { Lifecycle } from '../../../shared/lifecycle.ts';

test('closes in reverse, one after the other, once', async () => {
  const life = new Lifecycle();
  const order: string[] = [];
  life.defer('first', () => order.push('first'));
  life.defer('second', async () => {
    order.push('second starts');
    await new Promise((resolve) => setTimeout(resolve, 5));
    order.push('second ends');
  });
  const [errors, again] = await Promise.all([life.close(), life.close()]);
  expect(order).toEqual(['second starts', 'second ends', 'first']);
  expect([errors, again]).toEqual([[], []]);
});

test('reports what failed and goes on', async () => {
  const life = new Lifecycle();
  let closed = false;
  life.defer('store', () => {
    closed = true;
  });
  life.defer('server', () => Promise.reject(new Error('busy')));
  life.defer('thing', () => {
    throw 'a string';
  });
  expect((await life.close()).map(({ message }) => message)).toEqual([
    'closing thing: a string',
    'closing server: busy',
  ]);
  expect(closed).toBe(true);
});

test('does not wait longer than the deadline', async () => {
  const life = new Lifecycle();
  life.defer('stuck', () => new Promise(() => undefined), 20);
  expect((await life.close()).map(({ message }) => message)).toEqual(['closing stuck: not done after 20 ms']);
});

test('closes what is opened while or after it closes', async () => {
  const life = new Lifecycle();
  const order: string[] = [];
  life.defer('first', () => {
    order.push('first');
    life.defer('meanwhile', () => order.push('meanwhile'));
  });
  await life.close();
  life.defer('late', () => order.push('late'));
  await life.close();
  expect(order).toEqual(['first', 'meanwhile', 'late']);
});
