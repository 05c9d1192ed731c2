/**
 * `require('motia')`, for test runners with a loader of their own, as Jest has: it knows no ES modules, so Node's own loads ours, once
 * for all test files of a process.
 */
const { runInThisContext } = require('node:vm') as typeof import('node:vm'); // the context of Node, not that of a test file
const { createRequire } = runInThisContext('process.getBuiltinModule("node:module")') as typeof import('node:module');
module.exports = createRequire(__filename)('./index.js');
