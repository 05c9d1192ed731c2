/** What comes while something else is read: while the items of a channel are, and while the past of a client is. */
import { expect, test } from 'vitest';
import { Channel, type ChannelSource, type Past } from '../../../../gateway/streams/channel.ts';
import { Client } from '../../../../gateway/streams/client.ts';
import { Frame } from '../../../../gateway/streams/frames.ts';
import type { ItemChange } from '../../../../shared/broker/item-changes.ts';

class Recorder extends Client {
  readonly told: string[] = [];

  constructor() {
    super(1_000);
  }

  protected write(frame: Frame): void {
    const { id, event, position } = JSON.parse(frame.bytes(this.positioned).toString());
    const said = event.type === 'sync' ? event.data.map(({ id }: { id: string }) => id).join() : (id ?? '');
    this.told.push(`${event.type} ${said} ${position?.split('.')[1] ?? ''}`.trim());
  }

  protected buffered(): number {
    return 0;
  }
}

const change = (sequence: number, id: string, kind: ItemChange['kind'] = 'create'): ItemChange => ({
  ...{ key: `chat.g.${id}`, sequence, time: sequence, kind },
  json: JSON.stringify({ id }),
});

/** A channel whose reads end when the test says so. */
function openChannel() {
  let heard = 0;
  let clock = 0;
  let endRead: (items: ItemChange[]) => void = () => {};
  let endPast: (past: Past | undefined) => void = () => {};
  const position = (items = heard) => ({ store: 'abcdefgh', sentStore: 'abcdefgh', items, sent: 0, time: 1 });
  const source: ChannelSource = {
    groupSize: 1_000,
    present: () => new Promise((resolve) => (endRead = resolve)),
    since: () => new Promise((resolve) => (endPast = resolve)),
    targetOf: ({ target }) => target,
    clock: (atLeast = 0) => (clock = Math.max(clock, atLeast)),
    tick: (atLeast = 0) => (clock = Math.max(clock + 1, atLeast)),
    position: () => position(),
    onUnused: () => {},
  };
  const channel = new Channel('g', { streamName: 'chat', groupId: 'g' }, source);
  channel.load();
  channel.retain();
  return {
    channel,
    position,
    hear(next: ItemChange) {
      heard = next.sequence;
      const viewed = channel.apply(next);
      if (!viewed) return;
      const { type, id, json } = viewed;
      const target = { ...channel.target, id };
      const origin = { store: 'items' as const, sequence: next.sequence };
      channel.tell(new Frame({ timestamp: 1, target, event: { type, json }, position: position(), origin }));
    },
    async read(...items: ItemChange[]) {
      await Promise.resolve(); // the read has begun
      endRead(items);
      await channel.loading;
    },
    endPast: (past: Past | undefined) => endPast(past),
  };
}

test('what is changed while the items are read is in the first sync, once', async () => {
  const { channel, hear, read } = openChannel();
  const client = new Recorder();
  hear(change(5, 'a'));
  hear(change(6, 'new'));
  hear(change(7, 'gone', 'delete'));
  await read(change(5, 'a'), change(3, 'gone'));
  await channel.join(client, undefined);
  hear(change(8, 'next'));
  expect(client.told).toEqual(['sync a,new', 'create next']);
});

test('what comes while the past is read comes after it, once, and no position goes back', async () => {
  const { channel, hear, read, endPast, position } = openChannel();
  const client = new Recorder();
  await read();
  hear(change(3, 'a'));
  const joined = channel.join(client, 'position');
  hear(change(4, 'b'));
  hear(change(5, 'c'));
  endPast({ from: position(2), changes: [change(3, 'a'), change(6, 'd')], sent: [] });
  await joined;
  hear(change(6, 'd'));
  hear(change(7, 'e'));
  // What has a sequence before the last one that was read, and was not read, has been replaced: `b` and `c` come later.
  expect(client.told).toEqual(['resumed  2', 'create a 3', 'create d 6', 'create e 7']);
});

test('when the past cannot be told the state is, with what came meanwhile', async () => {
  const { channel, hear, read, endPast } = openChannel();
  const client = new Recorder();
  await read(change(1, 'a'));
  const joined = channel.join(client, 'position');
  hear(change(2, 'b'));
  endPast(undefined);
  await joined;
  expect(client.told).toEqual(['sync a,b 2']);
});
