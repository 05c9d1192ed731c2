/** What `motia nats-config` makes of groups, of an earlier file, and of the keys that are there. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { accessFile, keepPermissions } from '../../../cli/nats-config/access-file.ts';
import { languageGroups, workerGroups } from '../../../cli/nats-config/groups.ts';
import { ensureSeeds } from '../../../cli/nats-config/seeds.ts';
import { publicKeyOf } from '../../../shared/broker/nkeys.ts';
import type { StepEntry } from '../../../shared/steps/manifest.ts';

describe('groups of workers', () => {
  test('one for each language, of which that of Python is there if steps are', () => {
    const whole = { steps: [], topics: [], flows: [] };
    const step = (language: 'node' | 'python') => ({ language }) as StepEntry;
    const node = ['worker', { ...whole, language: 'node' }];
    expect([...languageGroups([step('node')])]).toEqual([node]);
    expect([...languageGroups([step('python')])]).toEqual([node, ['python-worker', { ...whole, language: 'python' }]]);
  });

  test('names of several kinds', () => {
    expect(workerGroups(['a=topics:x.y,z', 'b=flows:shop,steps:Audit, Count']).get('b')).toEqual({
      ...{ steps: ['Audit', 'Count'], topics: [], flows: ['shop'] },
    });
  });

  test.each(['a', 'a=', 'a=x', 'a=topics:', 'Gateway=flows:x', 'gateway=flows:x', '../a=flows:x', 'a=flows:x,,y'])(
    'refuses %s',
    (text) => expect(() => workerGroups([text])).toThrow('--group'),
  );

  test('refuses two of one name', () => {
    expect(() => workerGroups(['a=flows:x', 'a=flows:y'])).toThrow('--group a=flows:y');
  });
});

test('an earlier file adds what its users were allowed, and no users', () => {
  const user = (publicKey: string, ...publish: string[]) => ({ publicKey, permissions: { publish, subscribe: [] } });
  const earlier = accessFile('shop', [user('UA', 'old'), user('UB', 'other')]);
  expect(keepPermissions([user('UA', 'new'), user('UC', 'own')], earlier)).toEqual([
    user('UA', 'new', 'old'),
    user('UC', 'own'),
  ]);
});

describe('seeds', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'motia-seeds-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  test('are made once, for their owner only, and stay', () => {
    const made = ensureSeeds(dir, ['gateway', 'worker']);
    const file = join(dir, 'gateway.nk');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(publicKeyOf(readFileSync(file, 'utf8').trim())).toBe(made.get('gateway'));
    expect(ensureSeeds(dir, ['gateway', 'worker'])).toEqual(made);
  });

  test('one that cannot be read is not replaced, and not told', () => {
    writeFileSync(join(dir, 'gateway.nk'), 'SUSECRET');
    expect(() => ensureSeeds(dir, ['gateway'])).toThrow(/gateway\.nk is not the seed of a user(?!.*SUSECRET)/);
    expect(readFileSync(join(dir, 'gateway.nk'), 'utf8')).toBe('SUSECRET');
  });
});
