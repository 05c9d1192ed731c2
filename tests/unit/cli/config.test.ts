/** The environment: what is read, what is refused, and how the app's name is made. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { appName, readEnvironment } from '../../../shared/config.ts';

describe('readEnvironment', () => {
  test('has defaults for an empty environment', () => {
    const env = readEnvironment({ XDG_CACHE_HOME: '/cache' });
    expect(env).toMatchObject({
      threads: 2,
      partitions: 64,
      logLevel: 'info',
      color: true,
      cacheDir: '/cache/motia',
      searchPath: [],
    });
    expect(env.broker).toBeUndefined();
    expect(env.port).toBeUndefined();
    expect(env.telemetry).toMatchObject({ disabled: false, sampler: 'parentbased_always_on', samplerRatio: 1 });
    expect(env.telemetry.tracesUrl).toBeUndefined();
    expect(Object.isFrozen(env)).toBe(true);
  });

  test('takes an empty value for an absent one', () => {
    expect(readEnvironment({ MOTIA_PORT: '', NATS_URL: '', NO_COLOR: '' })).toMatchObject({ color: true });
  });

  test('reads what a worker takes of the app', () => {
    const { part, concurrency } = readEnvironment({ MOTIA_TOPICS: 'a.b, c,', MOTIA_CONCURRENCY: '3' });
    expect(part).toEqual({ steps: [], topics: ['a.b', 'c'], flows: [] });
    expect(concurrency).toBe(3);
  });

  test('reads the limits of realtime streams, and only those that are set', () => {
    const { streams } = readEnvironment({ MOTIA_STREAM_CLIENTS: '5', MOTIA_STREAM_BUFFER_BYTES: '65536' });
    expect(streams).toEqual({ clients: 5, bufferedBytes: 65_536 });
    expect(() => readEnvironment({ MOTIA_STREAM_CLIENTS: '0' })).toThrow('MOTIA_STREAM_CLIENTS');
  });

  test('reads how long a gateway serves after it was told to end, in seconds', () => {
    expect(readEnvironment({}).drainMs).toBe(0);
    expect(readEnvironment({ MOTIA_DRAIN_DELAY: '5' }).drainMs).toBe(5_000);
    expect(() => readEnvironment({ MOTIA_DRAIN_DELAY: '301' })).toThrow('MOTIA_DRAIN_DELAY');
  });

  test('reads the token of the admin API', () => {
    expect(readEnvironment({ MOTIA_ADMIN_TOKEN: 'a b' }).adminToken).toBe('a b');
    expect(readEnvironment({ MOTIA_ADMIN_TOKEN: '' }).adminToken).toBeUndefined();
  });

  test('reads a port, and 0 for any', () => {
    expect(readEnvironment({ MOTIA_PORT: '8080' }).port).toBe(8080);
    expect(readEnvironment({ MOTIA_PORT: '0' }).port).toBe(0);
  });

  test.each([
    ['debug', 'debug'],
    ['WARN', 'warn'],
    ['critical', 'error'],
  ])('LOG_LEVEL %s logs from %s on', (value, level) => {
    expect(readEnvironment({ LOG_LEVEL: value }).logLevel).toBe(level);
  });

  test.each([
    ['MOTIA_PORT', '3000x'],
    ['MOTIA_PORT', '65536'],
    ['MOTIA_PORT', '-1'],
    ['MOTIA_PORT', '1e3'],
    ['MOTIA_THREADS', '0'],
    ['MOTIA_THREADS', '2.5'],
    ['MOTIA_CONCURRENCY', '0'],
    ['LOG_LEVEL', 'loud'],
    ['NATS_URL', 'http://localhost:4222'],
    ['NATS_URL', 'nats://'],
    ['NATS_URL', 'nats://a:4222,,nats://b:4222'],
    ['MOTIA_APP', '///'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'localhost:4318'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'authorization'],
    ['OTEL_TRACES_SAMPLER', 'sometimes'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
    ['OTEL_SDK_DISABLED', 'maybe'],
    ['OTEL_TRACES_EXPORTER', 'console'],
    ['MOTIA_METRICS_PORT', '65536'],
    ['MOTIA_METRICS_PORT', 'on'],
  ])('refuses %s=%s and names the variable', (name, value) => {
    expect(() => readEnvironment({ [name]: value })).toThrow(
      expect.objectContaining({
        code: 'INVALID_VALUE',
        message: expect.stringContaining(`variable ${name} is not valid: expected`),
      }),
    );
  });

  test('keeps the password out of the server list', () => {
    const env = readEnvironment({ NATS_URL: 'nats://ann:s%40crt@one:4222, two:4223' });
    expect(env.broker).toEqual({ servers: 'nats://one:4222,nats://two:4223', user: 'ann', password: 's@crt' });
  });

  test('prefers login variables over the login in the URL', () => {
    const env = readEnvironment({ NATS_URL: 'nats://ann:old@one:4222', NATS_USER: 'bob', NATS_PASSWORD: 'new' });
    expect(env.broker).toMatchObject({ user: 'bob', password: 'new' });
  });

  test('reads secrets from files, which the variables themselves win over', () => {
    const folder = mkdtempSync(join(tmpdir(), 'motia-secrets-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'secret');
    writeFileSync(file, ' s3cret\n');
    const base = { NATS_URL: 'nats://one:4222', NATS_PASSWORD_FILE: file, MOTIA_ADMIN_TOKEN_FILE: file };
    expect(readEnvironment(base)).toMatchObject({ broker: { password: ' s3cret' }, adminToken: ' s3cret' });
    expect(readEnvironment({ ...base, NATS_PASSWORD: 'own' }).broker?.password).toBe('own');
    expect(() => readEnvironment({ ...base, NATS_PASSWORD_FILE: join(folder, 'none') })).toThrow(
      /NATS_PASSWORD_FILE names a file that cannot be read: .*no such file/,
    );
  });

  test('derives the traces URL, unless it is given', () => {
    const base = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' };
    expect(readEnvironment(base).telemetry.tracesUrl).toBe('http://collector:4318/v1/traces');
    const own = { ...base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces/in' };
    expect(readEnvironment(own).telemetry.tracesUrl).toBe('http://traces/in');
  });

  test('what is said of traces wins over what is said of all signals', () => {
    const base = { OTEL_EXPORTER_OTLP_HEADERS: 'a=1' };
    expect(readEnvironment({ ...base, OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'b=2' }).telemetry.headers).toEqual({
      b: '2',
    });
    expect(readEnvironment({ OTEL_TRACES_EXPORTER: 'none' }).telemetry.disabled).toBe(true);
    expect(readEnvironment({ OTEL_TRACES_EXPORTER: 'otlp' }).telemetry.disabled).toBe(false);
  });

  test('metrics have a port, any free one or none', () => {
    const port = (value?: string) => readEnvironment({ MOTIA_METRICS_PORT: value }).metricsPort;
    expect(['9000', '0', 'off', undefined].map(port)).toEqual([9000, 0, 'off', undefined]);
  });

  test('reads OpenTelemetry lists', () => {
    const env = readEnvironment({ OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20abc, x-team=a=b' });
    expect(env.telemetry.headers).toEqual({ authorization: 'Basic abc', 'x-team': 'a=b' });
  });
});

describe('appName', () => {
  const projectNamed = (packageJson?: string) => {
    const root = mkdtempSync(join(tmpdir(), 'My App-'));
    onTestFinished(() => rmSync(root, { recursive: true }));
    if (packageJson !== undefined) writeFileSync(join(root, 'package.json'), packageJson);
    return root;
  };

  test('prefers MOTIA_APP over package.json over the folder', () => {
    const root = projectNamed('{"name":"@acme/orders"}');
    expect(appName(root, { app: 'shop' })).toBe('shop');
    expect(appName(root, {})).toBe('acme-orders');
    expect(appName(projectNamed(), {})).toMatch(/^My-App-\w+$/);
  });

  test.each(['not json', '{"name":7}', '{"name":"@/"}', 'null'])('falls back to the folder for %s', (packageJson) => {
    expect(appName(projectNamed(packageJson), {})).toMatch(/^My-App-\w+$/);
  });

  test('is short and has safe characters only', () => {
    expect(appName('/', { app: `größe.*>${'x'.repeat(60)}` })).toMatch(/^[A-Za-z0-9_-]{40}$/);
    expect(appName('/', {})).toBe('app');
  });
});
