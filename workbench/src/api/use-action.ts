/** Changes whose outcome is said in a short message. */
import { toast } from '../ui/toast.tsx';
import { type Change, useChange } from './hooks.ts';

/**
 * @param paths what is asked anew afterwards.
 * @returns a function that makes a change, and says that it was done, or why not. It resolves with whether it was.
 */
export function useAction(...paths: string[]): {
  isBusy: boolean;
  act: (change: Change, done: string) => Promise<boolean>;
} {
  const { mutateAsync, isPending } = useChange(...paths);
  const act = async (change: Change, done: string) => {
    try {
      await mutateAsync(change);
      toast(done);
      return true;
    } catch (error) {
      toast((error as Error).message, 'bad');
      return false;
    }
  };
  return { isBusy: isPending, act };
}
