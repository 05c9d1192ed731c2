/** The clients of Motia 0.17 as they are on npm, in this process and as programs of their own, and what tests do with them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Stream as BrowserStream } from '@motiadev/stream-client-browser';
import { Stream as NodeStream } from '@motiadev/stream-client-node';
import { WebSocket } from 'ws';
import { REPOSITORY } from '../../helpers/project.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import type { Operation } from './cluster.ts';

// As browsers have it, and Node 20 has not: an error that nobody hears is followed by the end of the socket, and that is all.
Object.assign(globalThis, {
  WebSocket: class extends WebSocket {
    override emit(type: string, ...args: unknown[]): boolean {
      return (type === 'error' && this.listenerCount(type) === 0) || super.emit(type, ...args);
    }
  },
});

const clients = { node: NodeStream, browser: BrowserStream };
export type NpmStream = NodeStream | BrowserStream;
export type ClientName = keyof typeof clients;
export const CLIENTS = Object.keys(clients) as ClientName[];

const opened: NpmStream[] = [];
export function connectClient(name: ClientName, address: string, protocols?: string | string[]): NpmStream {
  const stream = new clients[name](address, protocols === undefined ? undefined : ({ protocols } as never));
  opened.push(stream);
  return stream;
}
export function closeClients(): void {
  for (const stream of opened.splice(0)) stream.close();
}

/** The WebSocket that a client has at the time. */
export const socketOf = (stream: NpmStream) => (stream as unknown as { ws: { ws: WebSocket } }).ws.ws;

/** Has a program of its own follow a group with the client for Node. @returns how it ended. */
export async function followInProgram(address: string, stream: string, group: string) {
  const code = `import { Stream } from '@motiadev/stream-client-node';
    const [, address, stream, group] = process.argv;
    new Stream(address).subscribeGroup(stream, group);`;
  const args = ['--input-type=module', '--eval', code, address, stream, group];
  const program = spawn(process.execPath, args, { cwd: REPOSITORY, timeout: 30_000 });
  let errors = '';
  program.stderr.on('data', (text) => {
    errors += text;
  });
  const [exitCode] = (await once(program, 'close')) as [number | null];
  return { exitCode, errors };
}

export interface Item {
  id: string;
  text?: string;
  n?: number;
}
export type Group = { getState(): Item[] };

export const textsOf = (group: Group) => group.getState().map(({ text }) => text);

/** Resolves when a group has items of these texts, in their order. */
export const shows = (group: Group, ...texts: string[]) =>
  waitFor(() => JSON.stringify(textsOf(group)) === JSON.stringify(texts), { what: `${texts}` }).catch((error) => {
    throw new Error(`${error.message}, not ${textsOf(group)}`);
  });

export const set = (group: string, id: string, text: string): Operation => ['chat', 'set', group, id, { text }];
export const remove = (group: string, id: string): Operation => ['chat', 'delete', group, id];
export const send = (groupId: string, type: string, data: unknown, id?: string): Operation => [
  ...(['chat', 'send', id === undefined ? { groupId } : { groupId, id }, { type, data }] as const),
];
