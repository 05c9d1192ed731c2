/**
 * Starts the first tester's handler thread and the server while the rest of the kit is loaded: all three take a while, and on another
 * processor these two cost nothing. Import it first. A process that makes no tester is not kept alive by them.
 */
import { keepBlankThread } from '../worker/threads/blank-thread.ts';
import { startServerAhead } from './shared-server.ts';

startServerAhead(); // first, since it is needed first
keepBlankThread();
