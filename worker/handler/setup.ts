/** What this thread is told of the app that it is to be a part of: with its start, or later, if it was started ahead of its time. */
import { once } from 'node:events';
import { type MessagePort, workerData } from 'node:worker_threads';
import { replaceEnvironment } from '../../shared/replace-environment.ts';
import type { ThreadSetup } from '../threads/messages.ts';
import { loadModulesWhenIdle } from './broker-services.ts';

const port = workerData as MessagePort;
const idle = loadModulesWhenIdle();
port.postMessage('ready'); // whoever started it is held until then
const [told] = (await once(port, 'message')) as [ThreadSetup];
clearTimeout(idle);
port.close();
replaceEnvironment(told.env);

export const setup = told;
