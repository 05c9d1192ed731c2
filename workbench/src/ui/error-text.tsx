/** An error of somebody's code: its message, and its stack. */
import styles from './error-text.module.css';
import { StackView } from './stack-view.tsx';

export interface ShownError {
  name?: string;
  message?: string;
  stack?: string;
}

interface Props {
  error: ShownError;
  /** Where the source of a step at a line is shown. */
  sourceHref: (step: string, line: number) => string;
}

export function ErrorText({ error: { name, message = '', stack }, sourceHref }: Props) {
  return (
    <div className={styles.error}>
      <p className={styles.message}>
        {name !== undefined && name !== 'Error' && <strong>{name}: </strong>}
        {message}
      </p>
      {stack !== undefined && <StackView stack={stack} sourceHref={sourceHref} />}
    </div>
  );
}
