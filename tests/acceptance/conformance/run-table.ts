/** Has every case of the table in one language, and sees to it that none is left out. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Case, cases } from './cases.ts';
import { type Language, startWorld, type World } from './world.ts';

/** @param reason why there is no such language on this machine. */
export function runTable(language: Language | undefined, name: Language['name'], reason = ''): void {
  let world: World;
  const ran = new Set<string>();
  beforeAll(async () => {
    if (language) world = await startWorld(language);
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  const run = (one: Case) => async (context: { skip(note?: string): void }) => {
    if (!language) context.skip(reason);
    const skip = one.skip?.[name];
    if (skip !== undefined) context.skip(skip);
    ran.add(one.name);
    await one.run(world);
  };

  describe('together', () => {
    for (const one of cases.filter(({ alone }) => !alone)) test.concurrent(one.name, run(one));
  });

  describe('alone', () => {
    for (const one of cases.filter(({ alone }) => alone)) test(one.name, run(one));
  });

  test('each case of the table was had, but for those that are listed with a reason', (context) => {
    if (!language) context.skip(reason);
    const listed = cases.filter(({ skip }) => skip?.[name] === undefined).map((one) => one.name);
    expect([...ran].sort()).toEqual(listed.sort());
    expect(new Set(cases.map((one) => one.name)).size).toBe(cases.length);
    for (const { skip } of cases) expect(skip?.[name] ?? 'a reason').toMatch(/\w+ \w+/);
  });
}
