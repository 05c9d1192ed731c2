/** The questions of `motia generate step`, answered by keys as a person presses them. */
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { askStep } from '../../../cli/generate/ask-step.ts';
import type { StepPlan } from '../../../cli/generate/step-file.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const ENTER = '\r';
const DOWN = '\u001b[B';
const CANCEL = '\u0003';

/** Answers each question as soon as it is shown. */
async function asked(given: Partial<StepPlan>, answers: [question: string, keys: string][]): Promise<StepPlan> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let shown = '';
  output.on('data', (text) => {
    shown += text;
  });
  const plan = askStep(given, { language: 'typescript' }, { input, output });
  plan.catch(() => {}); // awaited below
  for (const [question, keys] of answers) {
    await waitFor(() => shown.includes(question), { what: `"${question}" in: ${shown}`, within: 3_000, every: 5 });
    shown = '';
    for (const key of keys.split(/(?<=\r|\[B)/)) input.write(key);
  }
  return plan;
}

test('an API step', async () => {
  const plan = await asked({}, [
    ['Name of the step?', `CreateOrder${ENTER}`],
    ['What kind of step?', ENTER],
    ['In which language?', `${DOWN}${ENTER}`],
    ['Method?', `${DOWN}${ENTER}`],
    ['Path?', `orders${ENTER}`],
    ['It begins with /', `\u0001/${ENTER}`],
    ['Topics it emits?', `order.created, order.seen${ENTER}`],
    ['Flows it belongs to?', ENTER],
    ['What does it do?', ENTER],
  ]);
  expect(plan).toEqual({
    ...{ name: 'CreateOrder', type: 'api', language: 'javascript', method: 'POST', path: '/orders' },
    ...{ emits: ['order.created', 'order.seen'], flows: [], subscribes: [], description: '' },
  });
});

test('what was said by flags is not asked again; an event step handles one topic at least', async () => {
  const given = {
    name: 'Pay',
    type: 'event',
    language: 'python',
    emits: [],
    flows: ['orders'],
    description: 'x',
  } as const;
  const plan = await asked({ ...given, emits: [], flows: ['orders'] }, [
    ['Topics it handles?', ENTER],
    ['One at least', `order.created${ENTER}`],
  ]);
  expect(plan).toEqual({ ...given, subscribes: ['order.created'] });
});

test('a cron step, and a question that is cancelled', async () => {
  const given = { name: 'Clean', type: 'cron', language: 'typescript', emits: [], flows: [] } as const;
  const answers: [string, string][] = [
    ['When?', `nightly${ENTER}`],
    ['\u25b2', CANCEL],
  ];
  await expect(asked({ ...given, emits: [], flows: [] }, answers)).rejects.toThrow('Nothing was written.');
});
