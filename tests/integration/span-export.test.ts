/** The thread that exports spans: what several threads hand in arrives whole, and a collector that is away holds nobody up. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test, vi } from 'vitest';
import { readEnvironment } from '../../shared/config.ts';
import { createLogger } from '../../shared/logger.ts';
import { RecordedSpan } from '../../shared/recorded-span.ts';
import { type SpanExport, startSpanExport } from '../../shared/span-export/span-export.ts';
import { SpanSender } from '../../shared/span-export/span-sender.ts';
import { startCollector } from '../helpers/collector.ts';
import { freePort } from '../helpers/free-port.ts';
import { waitFor } from '../helpers/wait-for.ts';

const CONTEXT = { traceId: '0123456789abcdef'.repeat(2), spanId: '00000000000000ff', sampled: true };

function start(url: string, environment: Record<string, string> = {}) {
  const lines: string[] = [];
  const log = createLogger({ level: 'info', pretty: false, destination: { write: (line) => lines.push(line) } });
  const { telemetry } = readEnvironment({ OTEL_EXPORTER_OTLP_ENDPOINT: url, ...environment });
  const exporting = startSpanExport(telemetry, { name: 'shop', role: 'worker' }, log) as SpanExport;
  return { exporting, newSender: () => new SpanSender(exporting.connect(), telemetry), lines };
}

function ended(name: string, scope?: { name: string }): RecordedSpan {
  const attributes = { text: 'x'.repeat(300) };
  const span = new RecordedSpan(CONTEXT, undefined, name, { attributes }, () => {});
  if (scope) span.instrumentationScope = scope;
  span.end();
  return span;
}

test('what is handed in is exported, of all threads and tracers, over many blocks, and what is left when it closes', async () => {
  await using collector = await startCollector();
  const { exporting, newSender } = start(collector.url);
  const [one, other] = [newSender(), newSender()];
  const scope = { name: 'shop-lib' };
  for (let n = 0; n < 1_000; n++) {
    one.add(ended(`one ${n}`));
    other.add(ended(`other ${n}`, n % 2 === 0 ? scope : undefined));
  }
  one.close();
  other.close();
  await exporting.close();
  const { spans } = collector;
  expect(new Set(spans.map(({ name }) => name)).size).toBe(2_000);
  expect(spans).toHaveLength(2_000);
  expect(spans.every(({ attributes }) => attributes.text === 'x'.repeat(300))).toBe(true);
  const ofLibrary = spans.filter((span) => span.scope === 'shop-lib');
  expect(ofLibrary.map(({ name }) => name).sort()).toEqual(
    Array.from({ length: 500 }, (_, n) => `other ${2 * n}`).sort(),
  );
  expect(spans[0]?.resource).toMatchObject({ 'service.name': 'shop', 'motia.role': 'worker' });
});

test('spans are handed in while others are still made: nobody has to close', async () => {
  await using collector = await startCollector();
  const { exporting, newSender } = start(collector.url, { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1' });
  const sender = newSender();
  sender.add(ended('first'));
  await waitFor(() => collector.spans.some(({ name }) => name === 'first'));
  sender.add(ended('second'));
  await waitFor(() => collector.spans.some(({ name }) => name === 'second'));
  sender.close();
  await exporting.close();
});

test('spans beyond those that may wait are dropped, which is told, and the others exported', async () => {
  await using collector = await startCollector();
  const { exporting, newSender, lines } = start(collector.url, { OTEL_BSP_MAX_QUEUE_SIZE: '1000' });
  const sender = newSender();
  // In one turn: the other thread may take some meanwhile, but surely not all of these.
  for (let n = 0; n < 20_000; n++) sender.add(ended(`span ${n}`));
  sender.close();
  await exporting.close();
  expect(collector.spans.length).toBeGreaterThanOrEqual(1_000);
  expect(collector.spans.length).toBeLessThan(20_000);
  expect(lines.join('')).toContain('OTEL_BSP_MAX_QUEUE_SIZE');
});

test('fewer spans than go together are exported after a while', async () => {
  await using collector = await startCollector();
  const { exporting, newSender } = start(collector.url, { OTEL_BSP_SCHEDULE_DELAY: '100' });
  const sender = newSender();
  for (const name of ['first', 'second']) {
    sender.add(ended(name));
    await waitFor(() => collector.spans.some((span) => span.name === name));
  }
  sender.close();
  await exporting.close();
});

test('what was exported makes room for others', async () => {
  await using collector = await startCollector();
  const { exporting, newSender } = start(collector.url, { OTEL_BSP_MAX_QUEUE_SIZE: '1' });
  const sender = newSender();
  for (const name of ['first', 'second', 'third']) {
    await waitFor(() => {
      sender.add(ended(name)); // is dropped until the one before is known to be exported
      return collector.spans.some((span) => span.name === name);
    });
  }
  sender.close();
  await exporting.close();
});

test('a collector that refuses is told of in the log, once for many batches, and nothing else fails', async () => {
  let asked = 0;
  const refusing = createServer((request, response) => {
    asked++;
    request.resume().on('end', () => response.writeHead(400).end());
  });
  await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(refusing.address() as AddressInfo).port}`;
  const { exporting, newSender, lines } = start(`http://shop:secret@${host}`, { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1' });
  const sender = newSender();
  for (let n = 0; n < 5; n++) sender.add(ended(`span ${n}`));
  await waitFor(() => asked >= 5);
  sender.close();
  await exporting.close();
  refusing.close();
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ level: 'warn', action: 'export_failed', url: `http://${host}/v1/traces` }),
  ]);
  expect(lines.join('')).not.toContain('secret');
});

test('where no collector listens, closing ends all the same', async () => {
  vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '500'); // read by the exporter itself
  const { exporting, newSender, lines } = start(`http://127.0.0.1:${await freePort()}`);
  const sender = newSender();
  sender.add(ended('nowhere'));
  sender.close();
  await exporting.close();
  expect(lines.join('')).toContain('export_failed');
});

test('where nothing is exported, there is no thread', () => {
  const log = createLogger({ level: 'info', pretty: false, destination: { write: () => {} } });
  const service = { name: 'shop', role: 'worker' };
  for (const environment of [{}, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_SDK_DISABLED: 'true' }])
    expect(startSpanExport(readEnvironment(environment).telemetry, service, log)).toBeUndefined();
});
