/** The behaviours that every worker has, of the Python worker. */
import { testPython } from '../../helpers/python.ts';
import { runTable } from './run-table.ts';

const python = await testPython();
runTable(
  python === undefined ? undefined : { name: 'python', command: 'python-worker', env: { MOTIA_PYTHON: python } },
  'python',
  'there is no Python on this machine that could run the worker',
);
