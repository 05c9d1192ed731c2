/** `bodySchema` in its three forms, under each of the three settings. */
import { beforeAll, describe, expect, test } from 'vitest';
import { type RunningCli, startCli } from '../../helpers/cli.ts';
import { send } from '../../helpers/http.ts';
import { createProject } from '../../helpers/project.ts';

const step = (name: string, imports: string, schema: string) => `
${imports}
export const config = { type: 'api', name: '${name}', method: 'POST', path: '/${name}', emits: [], bodySchema: ${schema} };
export const handler = async ({ body }) => ({ status: 200, body });
`;
const zodSchema =
  "z.object({ item: z.string(), count: z.number().int().min(1).default(1), tags: z.array(z.enum(['a', 'b'])).optional() })";
const files = {
  'steps/zod3.step.ts': step('zod3', "import { z } from 'zod3';", zodSchema),
  'steps/zod4.step.ts': step('zod4', "import { z } from 'zod';", zodSchema),
  'steps/json-schema.step.ts': step(
    'json-schema',
    '',
    `{
      type: 'object',
      required: ['item'],
      properties: {
        item: { type: 'string' },
        count: { type: 'integer', minimum: 1 },
        tags: { type: 'array', items: { enum: ['a', 'b'] } },
      },
    }`,
  ),
};
const forms = ['zod3', 'zod4', 'json-schema'];
const VALID = { item: 'x', count: 2, tags: ['a'], extra: true };
const INVALID = { count: 0, tags: ['a', 'c'] };

async function start(validation: string | undefined): Promise<RunningCli> {
  const config = validation && { 'motia.config.ts': `export default { http: { validation: '${validation}' } };` };
  return startCli(
    'dev',
    await createProject({ files: { ...files, ...config }, packages: { zod: 'zod', zod3: 'zod3' } }),
  );
}

const post = (cli: RunningCli, form: string, body: unknown) =>
  send(`${cli.url}/${form}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

describe('enforce', () => {
  let cli: RunningCli;
  beforeAll(async () => {
    cli = await start('enforce');
  });

  test.each(forms)('%s: 400 that names every issue', async (form) => {
    const { status, json } = await post(cli, form, INVALID);
    const { error, issues } = json() as { error: string; issues: { path: string; message: string }[] };
    expect({ status, error }).toEqual({ status: 400, error: 'The request body is not valid' });
    expect(issues).toHaveLength(3);
    // A missing property is an issue of the object around it in JSON Schema, and of the property in zod.
    const told = issues.map(({ path, message }) => `${path}: ${message}`).join('\n');
    expect(told).toMatch(/^count: \w{3}/m);
    expect(told).toMatch(/^tags\.1: \w{3}/m);
    expect(told).toMatch(/^(item: .*|: .*'item')$/m);
  });

  test.each(forms)('%s: a body that fits reaches the handler as it was sent', async (form) => {
    expect((await post(cli, form, VALID)).json()).toEqual(VALID);
    expect((await post(cli, form, { item: 'x' })).json()).toEqual({ item: 'x' });
  });
});

test('warn, which is the default: the handler gets the body, and the log says what is wrong', async () => {
  const cli = await start(undefined);
  for (const form of forms) {
    const { status, json } = await post(cli, form, INVALID);
    expect({ status, body: json() }).toEqual({ status: 200, body: INVALID });
    const { level, issues } = await cli.waitForLog({ action: 'body_invalid', step: form });
    expect({ level, issues }).toMatchObject({ level: 'warn', issues: [{}, {}, {}] });
  }
  await post(cli, 'zod4', VALID);
  expect(cli.logs({ action: 'body_invalid' })).toHaveLength(forms.length);
});

test('ignore: the handler gets the body, and nobody looks', async () => {
  const cli = await start('ignore');
  for (const form of forms) expect((await post(cli, form, INVALID)).json()).toEqual(INVALID);
  expect(await cli.stop()).toBe(0);
  expect(cli.logs({ action: 'body_invalid' })).toEqual([]);
});
