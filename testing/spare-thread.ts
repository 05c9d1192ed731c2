/**
 * Starts the handler thread of the first tester while the rest of the kit is loaded: both take a while, and on another processor the
 * thread costs nothing. Import it first. A process that makes no tester is not kept alive by it.
 */
import { keepBlankThread } from '../worker/threads/blank-thread.ts';

keepBlankThread();
