/** What an exporter is sent: read by another implementation of protobuf, it says what the spans say. */
import { expect, test } from 'vitest';
import { RecordedSpan } from '../../../shared/recorded-span.ts';
import { ProtobufWriter } from '../../../shared/span-export/protobuf-writer.ts';
import { encodeRequest, encodeSpan } from '../../../shared/span-export/span-encoding.ts';
import type { SpanOptions } from '../../../shared/tracing.ts';
import { readExport } from '../../helpers/collector.ts';

const TRACE = { traceId: '0123456789abcdef'.repeat(2), sampled: true };
const PARENT = { ...TRACE, spanId: 'fedcba9876543210' };
const LINKED = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

function ended(name: string, options: SpanOptions = {}, parent = true): RecordedSpan {
  const context = { ...TRACE, spanId: '00000000000000ff' };
  const span = new RecordedSpan(context, parent ? PARENT : undefined, name, options, () => {});
  span.end(span.startedAt - performance.timeOrigin + 1.5);
  return span;
}

const writer = new ProtobufWriter();

function exported(...spans: RecordedSpan[]) {
  const encoded = spans.map((span) => ({ ...encodeSpan(span, writer), scope: span.instrumentationScope, count: 1 }));
  return readExport(Buffer.from(encodeRequest({ 'service.name': 'shop' }, encoded)));
}

test('ids, times, links, events, status and the process', () => {
  const started = 1_764_000_000_000.125;
  const span = new RecordedSpan(
    { ...TRACE, spanId: '00000000000000ff' },
    PARENT,
    'process order',
    { kind: 'consumer', links: [LINKED], startedAt: started - performance.timeOrigin },
    () => {},
  );
  span.addEvent('looked', { times: 2 }, started + 1);
  span.fail({ name: 'Error', message: 'no truck', stack: 'at …' });
  span.end(started + 2_000 - performance.timeOrigin);
  const [read] = exported(span);
  expect(read).toMatchObject({
    name: 'process order',
    traceId: TRACE.traceId,
    spanId: '00000000000000ff',
    parentSpanId: PARENT.spanId,
    kind: 5,
    links: [{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }],
    status: 2,
    resource: { 'service.name': 'shop' },
  });
  expect(read?.events).toMatchObject([
    { name: 'looked', attributes: { times: 2 } },
    { name: 'exception', attributes: { 'exception.message': 'no truck' } },
  ]);
  // To the microsecond; a clock in milliseconds with a fraction is no more exact.
  expect(Math.abs(Number(read?.startTimeUnixNano) / 1e6 - started)).toBeLessThan(0.002);
  expect(Number(BigInt(read?.endTimeUnixNano ?? 0) - BigInt(read?.startTimeUnixNano ?? 0)) / 1e6).toBeCloseTo(2_000, 2);
  expect(exported(ended('root', {}, false))[0]).toMatchObject({ parentSpanId: '', status: 0, links: [], events: [] });
});

const VALUES = {
  short: 'tea',
  empty: '',
  umlauts: 'Müller & Söhne',
  emoji: '🫖'.repeat(20),
  'as long as one byte tells': 'x'.repeat(127),
  'and longer': 'x'.repeat(128),
  long: 'ö'.repeat(20_000),
  'longer than a block': 'x'.repeat(100_000),
  yes: true,
  no: false,
  zero: 0,
  large: Number.MAX_SAFE_INTEGER,
  negative: -3,
  half: 0.5,
  list: ['a', 'ü', ''],
  none: [],
};

test.each(Object.entries(VALUES))('an attribute: %s', (key, value) => {
  expect(exported(ended('get', { attributes: { [key]: value } }))[0]?.attributes).toEqual({ [key]: value });
});

test('attributes that many spans share, and own ones; one that is set wins', () => {
  const common = { system: 'nats', topic: 'order' };
  const changed = new RecordedSpan({ ...TRACE, spanId: '00000000000000ff' }, PARENT, 'c', { common }, () => {});
  changed.set({ topic: 'tea' });
  const spans = [ended('a', { common, attributes: { id: 1 } }), ended('b', { common }), changed];
  expect(exported(...spans).map(({ attributes }) => attributes)).toEqual([
    { ...common, id: 1 },
    common,
    { ...common, topic: 'tea' },
  ]);
});

test('hundreds of spans of several tracers, over many blocks of memory', () => {
  const spans = Array.from({ length: 600 }, (_, n) => ended(`span ${n}`, { attributes: { n, text: 'y'.repeat(n) } }));
  const scope = { name: 'shop-lib', version: '1.2' };
  for (const span of spans.filter((_, n) => n % 3 === 0)) span.instrumentationScope = scope;
  const read = exported(...spans);
  expect(read.map(({ attributes }) => Number(attributes.n)).sort((a, b) => a - b)).toEqual(spans.map((_, n) => n));
  for (const { name, attributes, scope: of } of read) {
    const n = Number(attributes.n);
    expect([name, String(attributes.text).length, of]).toEqual([`span ${n}`, n, n % 3 === 0 ? 'shop-lib' : 'motia']);
  }
});
