/** A small app with something of everything that processes do on the broker. */

const step = (config: object, body: string) =>
  `export const config = ${JSON.stringify(config)};\nexport const handler = async (input, { emit, state, streams, logger }) => {${body}};\n`;

const event = (name: string, topic: string, more: object = {}) => ({
  ...{ type: 'event', name, subscribes: [topic], emits: [], flows: ['shop'] },
  ...more,
});

/** Larger than a message may be. */
export const LARGE = 1_500_000;
/** The groups of state that all steps of the flow `till` name. */
export const OWN_GROUPS = ['till', 'till: large'];

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
  'src/till.step.js': step(
    {
      type: 'api',
      name: 'Till',
      method: 'GET',
      path: '/till/node',
      emits: [],
      flows: ['till'],
      stateGroups: OWN_GROUPS,
    },
    `const [small, large] = ${JSON.stringify(OWN_GROUPS)};
     await state.clear(small);
     await state.set(small, 'a', { n: 1 });
     await state.set(small, 'b', 2, { ttl: 60 });
     await state.set(small, 'c', 3, { ifRevision: 0 });
     const conflict = await state.set(small, 'c', 4, { ifRevision: 0 }).catch(({ code }) => code);
     const updated = await state.update(small, 'a', ({ n }) => ({ n: n + 1 }));
     const { expiresAt } = await state.getEntry(small, 'b');
     const keys = [];
     let page = {};
     do {
       page = await state.getGroupPage(small, { limit: 2, after: page.next });
       keys.push(...page.items.map(({ key }) => key));
     } while (page.next);
     const removed = await state.delete(small, 'a');
     const left = await state.getGroup(small);
     await state.clear(small);
     await state.set(large, 'k', 'x'.repeat(${LARGE}));
     const lengths = (await state.getGroup(large)).map((text) => text.length);
     const gone = await state.delete(large, 'k');
     const there = [...(await state.getGroup(small)), ...(await state.getGroup(large)), await state.get(small, 'b')];
     const refused = await state.get('done', 'one').catch(({ code }) => code);
     return { status: 200, body: {
       conflict, updated, expires: expiresAt > Date.now(), keys, removed, left: left.sort(), lengths, gone: gone.length, there, refused,
     } };`,
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
  'src/till_step.py': `
import time

small, large = ${JSON.stringify(OWN_GROUPS)}
config = {"type": "api", "name": "TillPy", "method": "GET", "path": "/till/python", "emits": [], "flows": ["till"],
          "stateGroups": [small, large]}

async def code_of(operation):
    try:
        await operation
    except Exception as error:
        return error.code

async def refused(state):
    return await state.get("done", "one")

async def handler(request, context):
    state = context.state
    await state.clear(small)
    await state.set(small, "a", {"n": 1})
    await state.set(small, "b", 2, ttl=60)
    await state.set(small, "c", 3, if_revision=0)
    conflict = await code_of(state.set(small, "c", 4, if_revision=0))
    updated = await state.update(small, "a", lambda value: {"n": value["n"] + 1})
    entry = await state.get_entry(small, "b")
    keys, page = [], {"next": None}
    while "next" in page:
        page = await state.get_group_page(small, limit=2, after=page["next"])
        keys += [item["key"] for item in page["items"]]
    removed = await state.delete(small, "a")
    left = await state.get_group(small)
    await state.clear(small)
    await state.set(large, "k", "x" * ${LARGE})
    lengths = [len(text) for text in await state.get_group(large)]
    gone = await state.delete(large, "k")
    there = [*await state.get_group(small), *await state.get_group(large), await state.get(small, "b")]
    return {"status": 200, "body": {
        "conflict": conflict, "updated": updated, "expires": entry["expiresAt"] > time.time() * 1000,
        "keys": keys, "removed": removed, "left": sorted(left),
        "lengths": lengths, "gone": len(gone), "there": there, "refused": await code_of(refused(state)),
    }}
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
