/** A JSON value that is edited: checked as one types, saved on request, and with a word when somebody else changed it meanwhile. */
import { RotateCcw, Save } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { parseText, toText } from '../lib/json-text.ts';
import { useShortcut } from '../lib/shortcuts.ts';
import { Badge } from './badge.tsx';
import { Button } from './button.tsx';
import { CodeEditor } from './code/code-editor.tsx';
import { Buttons, EditorField, Form } from './fields.tsx';
import styles from './json-form.module.css';

interface JsonFormProps {
  /** What it is, for the editor. */
  label: string;
  /** What is stored now. */
  value: unknown;
  /** Changes whenever that does. */
  version: number | string;
  /** Further fields, above the editor and below it. */
  head?: ReactNode;
  children?: ReactNode;
  /** Something in those has been changed. */
  isTouched?: boolean;
  /** On the button. Default `Save`. */
  action?: string;
  /** May throw, which is shown. @param version what was edited. */
  onSave: (value: unknown, version: number | string) => Promise<unknown>;
  /** Takes back what was changed in the further fields. */
  onReset?: () => void;
}

export function JsonForm(props: JsonFormProps) {
  const { label, value, version, head, children, isTouched = false, action = 'Save', onSave, onReset } = props;
  const [draft, setDraft] = useState<{ text: string; version: number | string }>();
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const stored = toText(value);
  const text = draft?.text ?? stored;
  const parsed = parseText(text);
  const isDirty = isTouched || (draft !== undefined && draft.text !== stored);
  const isStale = isDirty && draft !== undefined && draft.version !== version;
  const reset = () => {
    setDraft(undefined);
    setError(undefined);
    onReset?.();
  };
  const save = async (over = draft?.version ?? version) => {
    if (parsed.error !== undefined || isBusy) return;
    setBusy(true);
    try {
      await onSave(parsed.value, over);
      reset();
    } catch (thrown) {
      setError((thrown as Error).message);
    } finally {
      setBusy(false);
    }
  };
  useShortcut('Mod+s', action, () => void save());
  return (
    <Form onSubmit={() => void save()}>
      {head}
      <EditorField label={label} error={isDirty ? parsed.error : undefined}>
        <CodeEditor
          label={label}
          language="json"
          value={text}
          onChange={(text) => setDraft({ text, version: draft?.version ?? version })}
          testId="json-editor"
        />
      </EditorField>
      {children}
      {isStale && (
        <div className={styles.stale} role="alert">
          <p>Somebody has changed it while you edited.</p>
          <Buttons>
            <Button onClick={reset}>Show what is there now</Button>
            <Button look="danger" onClick={() => void save(version)}>
              Replace it by mine
            </Button>
          </Buttons>
        </div>
      )}
      {error !== undefined && (
        <p role="alert" className={styles.error}>
          {error}
        </p>
      )}
      <Buttons>
        <Button
          look="primary"
          icon={Save}
          type="submit"
          disabled={!isDirty || parsed.error !== undefined || isBusy || isStale}
          data-testid="state-save-button"
        >
          {action}
        </Button>
        <Button icon={RotateCcw} onClick={reset} disabled={!isDirty}>
          Reset
        </Button>
        {isDirty && <Badge tone="warn">not saved</Badge>}
      </Buttons>
    </Form>
  );
}
