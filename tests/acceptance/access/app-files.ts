/** A small app with something of everything that processes do on the broker. */

const step = (config: object, body: string) =>
  `export const config = ${JSON.stringify(config)};\nexport const handler = async (input, { emit, state, streams, logger }) => {${body}};\n`;

const event = (name: string, topic: string, more: object = {}) => ({
  ...{ type: 'event', name, subscribes: [topic], emits: [], flows: ['shop'] },
  ...more,
});

/** Larger than a message may be. */
export const LARGE = 1_500_000;

export const nodeFiles = {
  'package.json': '{ "name": "locked", "type": "module" }',
  'motia.config.js': 'export default { http: { bodyLimit: 20000000 } };',
  'src/board.stream.js': `export const config = { name: 'board', schema: { type: 'object' },
    baseConfig: { storageType: 'default' } };\n`,
  'src/order.step.js': step(
    {
      ...{ type: 'api', name: 'Order', method: 'POST', path: '/orders/:topic', flows: ['shop'] },
      emits: ['order.node', { topic: 'order.flaky', conditional: true }, 'order.doomed', 'order.fifo'],
    },
    `const { topic } = input.pathParams;
     const { group, delay, ...data } = input.body;
     if (topic !== 'kept') await emit({ topic: 'order.' + topic, data, ...(group && { messageGroupId: group }), ...(delay && { delay }) });
     return { status: 200, body: {} };`,
  ),
  'src/read.step.js': step(
    { type: 'api', name: 'Read', method: 'GET', path: '/read/:key', emits: [], flows: ['shop'] },
    `const value = await state.get('done', input.pathParams.key);
     return { status: 200, body: { value, keys: (await state.getGroup('done')).length } };`,
  ),
  'src/flow.step.js': step(
    { type: 'api', name: 'Flow', method: 'GET', path: '/flow', emits: [], flows: ['shop'] },
    `const lines = async function* () { for (let n = 0; n < 40; n++) yield 'x'.repeat(50000); };
     return { status: 200, body: lines() };`,
  ),
  'src/on-node.step.js': step(
    event('OnNode', 'order.node', { emits: ['order.python'] }),
    `await streams.board.set('all', input.id, { seen: true });
     await streams.board.send({ groupId: 'all' }, { type: 'hello', data: 1 });
     await emit({ topic: 'order.python', data: input });`,
  ),
  'src/flaky.step.js': step(
    event('Flaky', 'order.flaky', { infrastructure: { queue: { maxRetries: 3 } } }),
    `if ((await state.update('tries', 'flaky', (n) => (n ?? 0) + 1)) < 2) throw new Error('not yet');
     await state.set('done', 'flaky', true);`,
  ),
  'src/doomed.step.js': step(
    event('Doomed', 'order.doomed', { infrastructure: { queue: { maxRetries: 0 } } }),
    `if (!(await state.get('repaired', 'all'))) throw new Error('broken');
     await state.delete('repaired', 'all');
     await state.set('done', 'doomed', true);`,
  ),
  'src/fifo.step.js': step(
    event('Fifo', 'order.fifo', { infrastructure: { queue: { type: 'fifo' } } }),
    `if ((await state.update('tries', 'fifo', (n) => (n ?? 0) + 1)) < 2) throw new Error('again');
     await state.set('done', 'fifo', true);`,
  ),
  'src/tick.step.js': `export const config = { type: 'cron', name: 'Tick', cron: '* * * * * *', emits: [], flows: ['shop'] };
    export const handler = async ({ state }) => { await state.set('done', 'tick', true); };\n`,
};

export const pythonFiles = {
  'src/on_python_step.py': `
config = {"type": "event", "name": "OnPython", "subscribes": ["order.python"], "emits": [], "flows": ["mail"]}

async def handler(input, context):
    if await context.state.update("tries", "python", lambda n: (n or 0) + 1) < 2:
        raise ValueError("not yet")
    text = input.get("text", "")
    await context.streams.board.update("all", input["id"], lambda item: {**(item or {}), "mailed": True})
    await context.state.set("done", input["id"], {"length": len(text), "text": text})
`,
  'src/call_step.py': `
config = {"type": "api", "name": "Call", "method": "GET", "path": "/python", "emits": [], "flows": ["mail"]}

async def handler(request, context):
    async def lines():
        for _ in range(40):
            yield "y" * 50000
    return {"status": 200, "body": lines()}
`,
};
