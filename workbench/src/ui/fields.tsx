/** What is filled in: fields with a name, and what is wrong with them. */
import { type ComponentProps, type ReactNode, useId } from 'react';
import styles from './fields.module.css';

interface FieldProps {
  label: string;
  /** What is allowed, or what it means. */
  hint?: ReactNode;
  /** What is wrong. */
  error?: string | undefined;
}

export function TextField({ label, hint, error, ...rest }: FieldProps & ComponentProps<'input'>) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="text"
        spellCheck={false}
        autoComplete="off"
        aria-describedby={`${id}-hint`}
        aria-invalid={error !== undefined}
        {...rest}
      />
      <Note id={`${id}-hint`} hint={hint} error={error} />
    </div>
  );
}

/** Around an editor, which has its own name. */
export function EditorField({ label, hint, error, children }: FieldProps & { children: ReactNode }) {
  const id = useId();
  return (
    <div className={styles.field}>
      <span>{label}</span>
      <div className={styles.editor}>{children}</div>
      <Note id={`${id}-hint`} hint={hint} error={error} />
    </div>
  );
}

function Note({ id, hint, error }: { id: string; hint: ReactNode; error: string | undefined }) {
  return (
    <p id={id} className={styles.note} data-bad={error !== undefined || undefined} role={error ? 'alert' : undefined}>
      {error ?? hint}
    </p>
  );
}

export function Form({ onSubmit, children }: { onSubmit: () => void; children: ReactNode }) {
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
    </form>
  );
}

/** Two or three fields beside each other. */
export const Row = ({ children }: { children: ReactNode }) => <div className={styles.row}>{children}</div>;

export const Buttons = ({ children }: { children: ReactNode }) => <div className={styles.buttons}>{children}</div>;
