/** Lines that handlers write. */
import { expect } from 'vitest';
import type { Case } from '../cases.ts';

export const logCases: Case[] = [
  {
    name: 'each call of the logger is one line of JSON, with level, time, step and trace beside its fields',
    async run({ post, worker }) {
      const { traceId } = (await post('/log', {})).json();
      expect(traceId).toMatch(/^[0-9a-f]{32}$/);
      const ours = { step: 'Log', traceId };
      await worker.waitForLog({ msg: 'a circle', traceId });
      const records = worker.logs({ traceId }).filter(({ action }) => action === 'log');
      expect(records).toMatchObject([
        { ...ours, level: 'info', msg: 'at info level', n: 1, nested: { list: [1, null, 'é'] } },
        { ...ours, level: 'warn', msg: 'at warn level', _level: 'own', _msg: 'own', _time: 'own', step: 'own step' },
        {
          ...ours,
          level: 'error',
          msg: 'at error level',
          error: {
            name: 'KnownError',
            message: 'SECRET caused',
            cause: { message: 'SECRET cause' },
            stack: expect.stringContaining('KnownError'),
          },
        },
        { ...ours, level: 'info', msg: 'two\nlines', value: ['no', 'fields'] },
        { ...ours, level: 'info', msg: 'without fields' },
        { ...ours, level: 'info', msg: 'of a child', part: 'child', n: 2 },
        { ...ours, level: 'info', msg: 'a circle' },
      ]);
      for (const { time, spanId } of records) {
        expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(60_000);
        expect(spanId).toMatch(/^[0-9a-f]{16}$/);
      }
      expect(JSON.stringify(records.at(-1))).toContain('[circular]');
    },
  },
];
