/** `require('motia/testing/mocks')`, whatever loader the test file has. See `require.cts` of the package. */
const { runInThisContext } = require('node:vm') as typeof import('node:vm');
const { createRequire } = runInThisContext('process.getBuiltinModule("node:module")') as typeof import('node:module');
module.exports = createRequire(__filename)('./mocks.js');
