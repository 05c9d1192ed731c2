/** The table: what every worker does, in whichever language its steps are. No case knows which one that is. */

import { accessCases } from './cases/access.ts';
import { answerCases } from './cases/answers.ts';
import { apiCases } from './cases/api.ts';
import { cronCases } from './cases/cron.ts';
import { deadLetterCases } from './cases/dead-letters.ts';
import { deliveryCases } from './cases/delivery.ts';
import { errorCases } from './cases/errors.ts';
import { eventCases } from './cases/events.ts';
import { failureCases } from './cases/failures.ts';
import { fifoCases } from './cases/fifo.ts';
import { logCases } from './cases/logs.ts';
import { stateCases } from './cases/state.ts';
import { streamedAnswerCases } from './cases/streamed-answers.ts';
import { streamCases } from './cases/streams.ts';
import { traceCases } from './cases/traces.ts';
import type { Language, World } from './world.ts';

export interface Case {
  /** Unique. */
  name: string;
  /** Has its own ids: other cases may run at the same time. */
  run(world: World): Promise<void>;
  /** It disturbs others, measures time, or asks for all that is stored of a trace, which a busy process does not keep: nothing runs beside it. */
  alone?: boolean;
  /** Why a language does not do this. There is no other way to leave a case out. */
  skip?: Partial<Record<Language['name'], string>>;
}

/** Those that wait for long come first. */
export const cases: readonly Case[] = [
  ...streamedAnswerCases,
  ...errorCases,
  ...eventCases,
  ...stateCases,
  ...streamCases,
  ...accessCases,
  ...cronCases,
  ...apiCases,
  ...answerCases,
  ...logCases,
  ...traceCases,
  ...deadLetterCases,
  ...deliveryCases,
  ...fifoCases,
  ...failureCases,
];
