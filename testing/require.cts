/** `require('motia/testing')`: the kit as Node loads it, whatever loader the test file has. See `require.cts` of the package. */
type Kit = typeof import('./index.js', { with: { 'resolution-mode': 'import' }});
const { runInThisContext } = require('node:vm') as typeof import('node:vm');
const { createRequire } = runInThisContext('process.getBuiltinModule("node:module")') as typeof import('node:module');
const kit = createRequire(__filename)('./index.js') as Kit;
// The `JSON` of the test file's context, so that what it compares is of the same one.
const createMotiaTester: Kit['createMotiaTester'] = (options = {}) =>
  kit.createMotiaTester({ parse: JSON.parse, ...options });
module.exports = { ...kit, createMotiaTester };
