/** The shape of log lines, for machines and for people. */
import { describe, expect, test } from 'vitest';
import { createLogger, type LoggerOptions } from '../../../shared/logger.ts';

function capture(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLogger({ level: 'info', pretty: false, color: false, destination, ...options });
  return { log, text: () => lines.join(''), records: () => lines.map((line) => JSON.parse(line)) };
}

describe('JSON lines', () => {
  test('carry level by name, time as ISO 8601, message and fields', () => {
    const { log, records } = capture({ base: { role: 'gateway' } });
    log.info({ action: 'ready', traceId: 'abc' }, 'Up');
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(records()).toEqual([{ level: 'info', time, role: 'gateway', action: 'ready', traceId: 'abc', msg: 'Up' }]);
  });

  test('leave out what is below the level', () => {
    const { log, records } = capture({ level: 'warn' });
    log.info('no');
    log.warn('yes');
    expect(records().map(({ msg }) => msg)).toEqual(['yes']);
  });

  test('describe errors, causes included', () => {
    const { log, records } = capture();
    log.error({ err: new Error('outer', { cause: new TypeError('inner') }) }, 'Failed');
    expect(records()[0].err).toMatchObject({ message: 'outer', cause: { name: 'TypeError', message: 'inner' } });
  });

  test('are written whatever the fields hold', () => {
    const { log, records } = capture();
    const fields: Record<string, unknown> = { big: 1n };
    fields.self = fields;
    Object.defineProperty(fields, 'bad', {
      enumerable: true,
      get() {
        throw new Error('no');
      },
    });
    log.info(fields, 'Still here');
    expect(records()[0]).toMatchObject({ big: '1', self: '[circular]', bad: '[unreadable]', msg: 'Still here' });
  });
});

describe('readable lines', () => {
  test('show time, level, step, trace and message, then the fields', () => {
    const { log, text } = capture({ pretty: true });
    log.info({ step: 'Hello', traceId: 'abc', action: 'x', n: 1 }, 'Greeted');
    expect(text()).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: Hello abc Greeted\n {4}n: 1\n$/);
  });

  test('hide the fields when asked', () => {
    const { log, text } = capture({ pretty: true, showFields: false });
    log.warn({ n: 1 }, 'Careful');
    expect(text()).toMatch(/WARN: Careful\n$/);
  });

  test('have colours only when asked', () => {
    const [plain, coloured] = [capture({ pretty: true }), capture({ pretty: true, color: true })];
    plain.log.info('x');
    coloured.log.info('x');
    expect([plain.text().includes('\u001b['), coloured.text().includes('\u001b[')]).toEqual([false, true]);
  });
});
