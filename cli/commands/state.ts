/** `motia state`: shows the groups and keys of the project's state, reads and changes values. */
import { text } from 'node:stream/consumers';
import { StateAdmin } from '../../shared/broker/state-admin.ts';
import type { Page, StateEntry } from '../../shared/types.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { confirm } from '../confirm.ts';
import type { Flags, STATE_ACTIONS } from '../options.ts';
import { shortText, shortTime, table } from '../table.ts';
import { withBroker } from '../with-broker.ts';

export async function state({ group, key, json = false, ...flags }: Flags): Promise<number> {
  const action = flags.action as (typeof STATE_ACTIONS)[number];
  const { limit, after, ttl, ifRevision } = flags;
  const print = <T>(result: T, toText: (result: T) => string) =>
    console.log(json ? JSON.stringify(result, null, 2) : toText(result));
  if (action === 'list') {
    return withBroker(flags, 'state', async (broker, names) => {
      const admin = new StateAdmin(broker, names);
      if (group === undefined) print(await admin.groups({ limit, after }), toGroupTable);
      else print(await admin.page(group, { limit, after }), (page) => toKeyTable(group, page));
      return 0;
    });
  }
  if (action === 'clear') {
    if (group === undefined || key !== undefined)
      throw new CliError('Which group? motia state clear <group>', EXIT.usage);
    return withBroker(flags, 'state', async (broker, names) => {
      await confirm(`Throw away all values of ${shown(group)}?`, flags.yes);
      await new StateAdmin(broker, names).clear(group);
      print({ group, action }, () => `${shown(group)} is cleared`);
      return 0;
    });
  }
  if (group === undefined || key === undefined) {
    const value = action === 'set' ? ' <value>' : '';
    throw new CliError(`Which value? motia state ${action} <group> <key>${value}`, EXIT.usage);
  }
  const value = action === 'set' ? await readValue(flags.value) : undefined;
  return withBroker(flags, 'state', async (broker, names) => {
    const admin = new StateAdmin(broker, names);
    const name = `${shown(group)} ${shown(key)}`;
    if (action === 'get') {
      print(await admin.show(group, key), (entry) => JSON.stringify(entry.value, null, 2));
    } else if (action === 'set') {
      const stored = await admin.put(group, key, value, { ttl, ifRevision });
      print(stored, ({ revision }) => `${name} is stored at revision ${revision}`);
    } else {
      await admin.remove(group, key);
      print({ group, key, action }, () => `${name} is deleted`);
    }
    return 0;
  });
}

/** The value as JSON. Without one, or with `-`, which yargs makes an empty text, it comes from the standard input. */
async function readValue(argument = ''): Promise<unknown> {
  const isMissing = argument === '' && process.stdin.isTTY === true;
  if (isMissing) throw new CliError('Which value? motia state set <group> <key> <value as JSON>', EXIT.usage);
  const json = argument === '' ? await text(process.stdin) : argument;
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new CliError(`the value is not JSON: ${(error as Error).message}`, EXIT.usage);
  }
}

function toGroupTable({ items, next }: Page<{ group: string; keys: number }>): string {
  if (items.length === 0) return 'State is empty';
  const rows = items.map(({ group, keys }) => [shown(group), String(keys)]);
  return table(['GROUP', 'KEYS'], rows) + more('motia state list', next);
}

function toKeyTable(group: string, { items, next }: Page<StateEntry & { key: string }>): string {
  if (items.length === 0) return `There is nothing (more) in ${shown(group)}`;
  const rows = items.map(({ key, revision, expiresAt, value }) => [
    shown(key),
    String(revision),
    shortTime(expiresAt === undefined ? undefined : new Date(expiresAt).toISOString()),
    shortText(JSON.stringify(value), 60),
  ]);
  return table(['KEY', 'REVISION', 'EXPIRES', 'VALUE'], rows) + more(`motia state list ${shown(group)}`, next);
}

const more = (command: string, next: string | undefined): string =>
  next === undefined ? '' : `\nThere may be more: ${command} --after ${next}`;

/** A name as it is, unless it has spaces or other characters that a terminal does not show. */
const shown = (name: string): string => (/^[\p{L}\p{N}\p{P}\p{S}]+$/u.test(name) ? name : JSON.stringify(name));
