/** A socket whose server is the test. */
import type { Socket } from '../../../stream-client/src/connection.ts';
import type { Join, StreamEvent } from '../../../stream-client/src/protocol.ts';

/** All that were made, in their order. */
export const sockets: TestSocket[] = [];

export class TestSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  onerror: (() => void) | null = null;
  readonly address: string;
  readonly protocols: string[] | undefined;
  isClosed = false;
  #sent: string[] = [];

  constructor(address: string, protocols?: string[]) {
    this.address = address;
    this.protocols = protocols;
    sockets.push(this);
  }

  send(text: string): void {
    const { type, data } = JSON.parse(text) as { type: string; data: Join & { resume?: string } };
    const what = [data.streamName, data.groupId, data.id].filter((part) => part !== undefined).join('/');
    this.#sent.push(`${type} ${what}${data.resume === undefined ? '' : ` ${JSON.stringify(data.resume)}`}`);
  }

  close(): void {
    this.isClosed = true;
  }

  /** What the client has said since the last look. */
  sent(): string[] {
    return this.#sent.splice(0);
  }

  /** A frame of the server. */
  says(streamName: string, groupId: string, id: string | undefined, event: StreamEvent, position?: string): void {
    this.onmessage?.({ data: JSON.stringify({ timestamp: 1, streamName, groupId, id, event, position }) });
  }
}
