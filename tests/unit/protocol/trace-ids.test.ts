/** W3C trace context: what is read, what is refused, what is made. */
import { describe, expect, test } from 'vitest';
import { formatTraceparent, newSpanId, newTraceId, parseTraceparent } from '../../../shared/trace-ids.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('parseTraceparent', () => {
  test.each([
    ['sampled', `00-${TRACE}-${SPAN}-01`, true],
    ['not sampled', `00-${TRACE}-${SPAN}-00`, false],
    ['flags beside the sampled one', `00-${TRACE}-${SPAN}-03`, true],
    ['other flags alone', `00-${TRACE}-${SPAN}-02`, false],
    ['a later version with more fields', `cc-${TRACE}-${SPAN}-01-what-the-future-adds`, true],
  ])('%s', (_, header, sampled) => {
    expect(parseTraceparent(header)).toEqual({ traceId: TRACE, spanId: SPAN, sampled });
  });

  test.each([
    ['nothing', undefined],
    ['empty', ''],
    ['text', 'hello'],
    ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['a short trace id', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['a zero trace id', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a zero span id', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['no flags', `00-${TRACE}-${SPAN}`],
    ['something before it', `x00-${TRACE}-${SPAN}-01`],
  ])('%s is no trace context', (_, header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });

  test('reads what formatTraceparent writes', () => {
    for (const sampled of [true, false]) {
      const context = { traceId: newTraceId(), spanId: newSpanId(), sampled };
      expect(parseTraceparent(formatTraceparent(context))).toEqual(context);
    }
  });
});

test('20,000 ids have the right form and are all different', () => {
  const traceIds = new Set(Array.from({ length: 20_000 }, newTraceId));
  const spanIds = new Set(Array.from({ length: 20_000 }, newSpanId));
  expect([traceIds.size, spanIds.size]).toEqual([20_000, 20_000]);
  for (const id of traceIds) if (!/^[0-9a-f]{32}$/.test(id)) expect(id).toBe('32 hex digits');
  for (const id of spanIds) if (!/^[0-9a-f]{16}$/.test(id)) expect(id).toBe('16 hex digits');
});
