/** What is done with a cron step. */
import type { CronStatus } from '../../api/types.ts';
import { useAction } from '../../api/use-action.ts';

export interface CronActions {
  run: (step: CronStatus) => void;
  togglePause: (step: CronStatus) => void;
}

export function useCronActions(): CronActions {
  const { act } = useAction('/cron', '/traces');
  const pathOf = ({ step }: CronStatus, action: string) => `/cron/${encodeURIComponent(step)}/${action}`;
  return {
    run: (one) => void act({ path: pathOf(one, 'trigger') }, `${one.step} runs now`),
    togglePause: (one) =>
      void act(
        { path: pathOf(one, one.paused ? 'resume' : 'pause') },
        one.paused ? `${one.step} runs on its schedule again` : `${one.step} is paused: its ticks are left out`,
      ),
  };
}
