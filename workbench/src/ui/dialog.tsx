/** What is asked or shown over the page, by the browser's own dialog, which keeps the focus and gives it back. */
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Button } from './button.tsx';
import styles from './dialog.module.css';

interface DialogProps {
  label: string;
  onClose: () => void;
  children: ReactNode;
  /** Near the top, for what is typed into. */
  high?: boolean;
}

export function Dialog({ label, onClose, children, high = false }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog, as the browser has it
    <dialog
      ref={dialog}
      aria-label={label}
      className={styles.dialog}
      data-high={high || undefined}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  /** What will be, and whether it can be taken back. */
  children: ReactNode;
  /** The verb: "Delete 3 keys". */
  action: string;
  /** Of the button. Default: danger. */
  look?: 'danger' | 'primary';
  /** The dialog closes when it is done; what it throws is shown. */
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks before something that cannot be taken back. */
export function Confirm({ title, children, action, look = 'danger', onConfirm, onClose }: ConfirmProps) {
  const [state, setState] = useState<{ isBusy?: boolean; error?: string }>({});
  const confirm = async () => {
    setState({ isBusy: true });
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      setState({ error: (error as Error).message });
    }
  };
  return (
    <Dialog label={title} onClose={onClose}>
      <h2 className={styles.title}>{title}</h2>
      <div className={styles.text}>{children}</div>
      {state.error !== undefined && (
        <p role="alert" className={styles.error}>
          {state.error}
        </p>
      )}
      <div className={styles.buttons}>
        <Button onClick={onClose}>Cancel</Button>
        <Button look={look} onClick={confirm} disabled={state.isBusy === true}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
