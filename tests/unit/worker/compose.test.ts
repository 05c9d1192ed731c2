import { expect, test } from 'vitest';
import { composeMiddleware } from '../../../worker/compose.ts';

type Step = (req: { log: string[] }, ctx: string, next: () => Promise<string>) => Promise<string> | string;

const tracing =
  (name: string): Step =>
  async (req, _ctx, next) => {
    req.log.push(`${name} in`);
    const response = await next();
    req.log.push(`${name} out`);
    return `${name}(${response})`;
  };

test('the first middleware is the outermost', async () => {
  const req = { log: [] as string[] };
  const run = composeMiddleware([tracing('a'), tracing('b')], (req: { log: string[] }, ctx: string) => {
    req.log.push(`handler ${ctx}`);
    return 'done';
  });
  expect(await run(req, 'ctx')).toBe('a(b(done))');
  expect(req.log).toEqual(['a in', 'b in', 'handler ctx', 'b out', 'a out']);
});

test('without middleware the handler runs alone, and what it throws rejects', async () => {
  expect(await composeMiddleware([], (req: number) => req + 1)(1, undefined)).toBe(2);
  const failing = composeMiddleware([], () => {
    throw new Error('handler');
  });
  await expect(failing(1, undefined)).rejects.toThrow('handler');
});

test('a middleware that returns without next answers for the handler', async () => {
  const req = { log: [] as string[] };
  const run = composeMiddleware<{ log: string[] }, string, string>([tracing('a'), () => 'stop'], () => {
    throw new Error('not reached');
  });
  expect(await run(req, 'ctx')).toBe('a(stop)');
});

test('a middleware can handle what the handler throws', async () => {
  const rescue: Step = (_req, _ctx, next) => next().catch((error: Error) => `caught ${error.message}`);
  const run = composeMiddleware([rescue], () => {
    throw new Error('it');
  });
  expect(await run({ log: [] }, 'ctx')).toBe('caught it');
});

test('next cannot be called twice, yet every run starts anew', async () => {
  let runs = 0;
  const twice: Step = async (_req, _ctx, next) => `${await next()}${await next()}`;
  const run = composeMiddleware([twice], () => `${++runs}`);
  await expect(run({ log: [] }, 'ctx')).rejects.toThrow('next() more than once');
  expect(runs).toBe(1);
  await expect(run({ log: [] }, 'ctx')).rejects.toThrow('next() more than once');
  expect(runs).toBe(2);
});

test('a middleware that forgets to return fails, and says so', async () => {
  const forgetful = async (_req: unknown, _ctx: unknown, next: () => Promise<string>) => {
    await next();
    return undefined;
  };
  await expect(composeMiddleware([forgetful], () => 'done')(1, 1)).rejects.toThrow('returned no response');
});
