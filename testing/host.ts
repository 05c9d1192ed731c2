/**
 * A tester in a process of its own, for tests in other languages: reads a command on each line of standard input, and writes its
 * answer as a line to the descriptor named on the command line. It ends when its standard input does.
 */
import './head-start.ts';

import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Watcher } from './event-feed.ts';
import type { RequestOptions } from './http.ts';
import { createMotiaTester, type MotiaTester, type TesterOptions } from './tester.ts';

/** One line of input. Commands are carried out side by side; the answer bears the id. */
interface Command {
  id: number;
  name: string;
  args: unknown[];
}

type Act = (tester: MotiaTester, ...args: never[]) => unknown;

const descriptor = Number(process.argv[2]);
const watchers: Watcher[] = [];
let tester: MotiaTester | undefined;

const ACTS: Record<string, Act> = {
  request: async (kit, method: 'get', path: string, { bytes, ...options }: RequestOptions & { bytes?: string }) => {
    const body = bytes === undefined ? {} : { body: Buffer.from(bytes, 'base64') };
    const response = await kit[method](path, { ...options, ...body });
    const isBytes = Buffer.isBuffer(response.body);
    return { ...response, ...(isBytes && { body: null, bytes: (response.body as Buffer).toString('base64') }) };
  },
  emit: (kit, event: Parameters<MotiaTester['emit']>[0]) => kit.emit(event),
  trigger: (kit, step: string) => kit.trigger(step),
  watch: async (kit, topic: string) => watchers.push(await kit.watch(topic)) - 1,
  captured: (_, watcher: number) => watchers[watcher]?.getCapturedEvents(),
  clearCaptured: (_, watcher: number) => watchers[watcher]?.clear(),
  waitEvents: (kit, timeout?: number) => kit.waitEvents(timeout == null ? {} : { timeout }),
  state: (kit, method: 'get', args: [string, string]) => kit.state[method](...args),
  stream: (kit, name: string, method: 'get', args: [string, string]) => kit.stream(name)[method](...args),
  advance: (kit, by: string | number) => kit.clock.advance(by),
  advanceTo: (kit, time: string) => kit.clock.advanceTo(time),
  advanceToNext: (kit) => kit.clock.advanceToNext(),
  now: (kit) => kit.clock.now(),
  pending: (kit) => kit.clock.pending(),
  deadLetters: (kit, step?: string) => kit.deadLetters(step ?? undefined),
  logs: (kit) => kit.logs(),
  reset: (kit) => kit.reset(),
};

async function carryOut({ name, args }: Command): Promise<unknown> {
  if (name === 'start') {
    tester = await createMotiaTester(args[0] as TesterOptions);
    return { url: tester.url };
  }
  if (!tester) throw new Error('the app is not started');
  return ACTS[name]?.(tester, ...(args as never[]));
}

function answer(id: number, fields: Record<string, unknown>): void {
  writeSync(descriptor, `${JSON.stringify({ id, ...fields })}\n`);
}

const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  const command = JSON.parse(line) as Command;
  carryOut(command).then(
    (result) => answer(command.id, { result: result ?? null }),
    (error: Error & { code?: string }) => answer(command.id, { error: error.message, code: error.code ?? null }),
  );
});
input.on('close', () => void tester?.close());
