/** An error of somebody's code: its message, unless its stack begins with it, and the stack. */
import type { ShownError } from '../lib/shown-error.ts';
import styles from './error-text.module.css';
import { StackView } from './stack-view.tsx';

interface Props {
  error: ShownError;
  /** Where the source of a step at a line is shown. */
  sourceHref: (step: string, line: number) => string;
}

export function ErrorText({ error: { name, message = '', stack }, sourceHref }: Props) {
  return (
    <div className={styles.error}>
      {!stack?.split('\n', 1)[0]?.includes(message) && (
        <p className={styles.message}>
          {name !== undefined && name !== 'Error' && <strong>{name}: </strong>}
          {message}
        </p>
      )}
      {stack !== undefined && <StackView stack={stack} sourceHref={sourceHref} />}
    </div>
  );
}
