/** `motia doctor` in projects that are well, and in others. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { removeFolder } from '../../helpers/remove-folder.ts';
import { createProject, dev, run } from './program.ts';

const execFileAsync = promisify(execFile);

/** @returns why not. */
async function canMountImages(): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'motia-image-'));
  const [image, mounted] = [join(folder, 'image'), join(folder, 'mounted')];
  try {
    await writeFile(image, Buffer.alloc(8 * 1024 ** 2));
    await mkdir(mounted);
    await execFileAsync('mkfs.ext4', ['-q', '-F', image]);
    await execFileAsync('mount', ['-o', 'loop', image, mounted]);
    await execFileAsync('umount', [mounted]);
    return undefined;
  } catch (error) {
    return (error as Error).message.trim();
  } finally {
    await removeFolder(folder);
  }
}

async function doctor(root: string, env: Record<string, string> = {}) {
  const { code, output } = await run(root, ['doctor', '--json', '--port', '0'], env);
  const findings: { name: string; status: string; text: string; advice?: string }[] = JSON.parse(output);
  return { code, of: (name: string) => findings.find((finding) => finding.name === name) };
}

test('all is well', async () => {
  const { code, of } = await doctor(createProject());
  expect(code).toBe(0);
  expect(of('Node.js')).toMatchObject({ status: 'ok' });
  expect(of('Project')).toMatchObject({
    status: 'ok',
    text: 'shop: 1 in TypeScript or JavaScript, 0 Python files, 0 streams',
  });
  expect(of('Python')).toMatchObject({ status: 'ok' });
  expect(of('Broker')).toMatchObject({ status: 'ok', text: expect.stringMatching(/^nats-server \d/) });
  expect(of('Port')).toMatchObject({ status: 'ok' });
  expect(of('Disk')).toMatchObject({ text: expect.stringMatching(/ free in .* ms to make a write durable$/) });
});

test('each thing that is wrong, and what to do', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const root = createProject({ 'src/x_step.py': '' });
  const env = { NATS_URL: 'nats://127.0.0.1:9', MOTIA_PYTHON: '/nowhere/python' };
  const { code, output } = await run(root, ['doctor', '--port', String(port)], env);
  expect(code).toBe(1);
  expect(output).toMatch(/^FAIL {2}Python .*\n.*→ These do not run without it: src\/x_step\.py$/m);
  expect(output).toMatch(/^FAIL {2}Broker .*127\.0\.0\.1:9.*\n.*→ Look at NATS_URL/m);
  expect(output).toMatch(new RegExp(`^note  Port     ${port} on 127\\.0\\.0\\.1 cannot be used \\(EADDRINUSE\\)`, 'm'));

  const empty = await doctor(createProject({}), { MOTIA_NATS_SERVER: '/nowhere/nats-server' });
  expect(empty.code).toBe(1);
  expect(empty.of('Project')).toMatchObject({ status: 'fail', advice: expect.stringContaining('motia create') });
  expect(empty.of('Broker')).toMatchObject({ status: 'fail', text: expect.stringContaining('MOTIA_NATS_SERVER') });
});

test('of an app that runs, the broker is asked', async () => {
  const root = createProject();
  await dev(root);
  const { code, of } = await doctor(root);
  expect(code).toBe(0);
  expect(of('Broker')).toMatchObject({
    text: expect.stringMatching(/^nats-server \S+ at .*of the app that runs here: storage/),
  });
  expect(of('Port')).toMatchObject({ text: 'the app runs here' });
});

test('what a power cut costs is measured: what was synced before the ack is there, what was not is gone', async (context) => {
  context.skip(
    process.platform !== 'linux' || process.getuid?.() !== 0,
    'a disk image is mounted by root on Linux only',
  );
  const image = await canMountImages();
  context.skip(image !== undefined, `a disk image cannot be mounted here: ${image}`);
  const { code, output } = await run(createProject(), ['doctor', '--power-cut', '--json']);
  const cuts = JSON.parse(output.slice(output.indexOf('['))) as { acknowledged: number; kept: number }[];
  expect(cuts).toEqual([
    expect.objectContaining({ sync: 'default', writesPerSecond: expect.any(Number) }),
    expect.objectContaining({ sync: 'always' }),
  ]);
  const [byDefault, always] = cuts;
  expect(always?.kept).toBe(always?.acknowledged);
  expect(always?.acknowledged).toBeGreaterThan(100);
  expect(byDefault?.kept).toBeLessThan(byDefault?.acknowledged ?? 0);
  expect(code).toBe(0);
});
