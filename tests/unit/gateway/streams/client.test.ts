/** A client that reads slowly: what is left out, and what it is told instead. */
import { expect, test } from 'vitest';
import { Client, type Follower } from '../../../../gateway/streams/client.ts';
import { Frame, type Origin } from '../../../../gateway/streams/frames.ts';

class Recorder extends Client {
  readonly written: string[] = [];
  waiting = 0;

  constructor() {
    super(10);
  }

  read(): void {
    this.waiting = 0;
    this.drained();
  }

  leave(): void {
    this.end();
  }

  protected write(frame: Frame): void {
    this.written.push(JSON.parse(frame.bytes(false).toString()).event.type);
    this.waiting += 6;
  }

  protected buffered(): number {
    return this.waiting;
  }
}

const frame = (type: 'create' | 'update' | 'sync' | 'event', origin?: Origin) =>
  new Frame({ timestamp: 1, event: { type, json: '{}' }, ...(origin && { origin }) });

function follow(client: Client): Follower & { caughtUp: Frame[] } {
  const caughtUp: Frame[] = [];
  const catchUp = (last: Frame) => {
    caughtUp.push(last);
    client.send(frame('sync'), follower);
  };
  const follower = { client, had: { items: 0, sent: 0 }, catchUp, caughtUp };
  return follower;
}

test('above the limit nothing is sent until all is read; then each that missed a change is told the state, once', () => {
  const client = new Recorder();
  const [one, two, three] = [follow(client), follow(client), follow(client)];
  client.send(frame('create'), one);
  client.send(frame('event'), one);
  expect(client.congested).toBe(true);
  const last = frame('update');
  client.send(frame('create'), one);
  client.send(last, one);
  client.send(frame('create'), two);
  client.send(frame('event'), three);
  client.send(frame('create'), three);
  client.forget(three);
  expect(client.written).toEqual(['create', 'event']);
  client.read();
  expect(client.written).toEqual(['create', 'event', 'sync', 'sync']);
  expect([one.caughtUp, two.caughtUp.length, three.caughtUp.length]).toEqual([[last], 1, 0]);
  expect(client.congested).toBe(true); // two of them are too much once more
  client.send(frame('create'), two);
  client.read();
  expect(client.written.at(-1)).toBe('sync');
  expect(client.congested).toBe(false);
});

test('a change that two channels have is sent once, the next one again', () => {
  const client = new Recorder();
  const [group, item] = [follow(client), follow(client)];
  const origin: Origin = { store: 'items', sequence: 1 };
  client.send(frame('create', origin), item);
  client.send(frame('update', origin), group);
  client.read();
  client.send(frame('update', { ...origin }), item);
  expect(client.written).toEqual(['create', 'update']);
});

test('a wait ends with the client', async () => {
  const client = new Recorder();
  const waits = client.untilEnded(new Promise(() => {}));
  client.leave();
  await waits;
  await client.untilEnded(new Promise(() => {}));
  client.answer(frame('event'));
  expect(client.written).toEqual([]);
});
