/** The behaviours that every worker has, of the Node worker. */
import { runTable } from './run-table.ts';

runTable({ name: 'node', command: 'worker', env: {} }, 'node');
