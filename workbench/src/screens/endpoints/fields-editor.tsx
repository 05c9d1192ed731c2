/** Names with values, each of which is sent or not. There is always an empty one at the end. */
import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { IconButton } from '../../ui/button.tsx';
import type { Field } from './draft.ts';
import styles from './fields.module.css';

interface Props {
  label: string;
  /** One of them: "header". */
  noun: string;
  fields: readonly Field[];
  onChange: (fields: Field[]) => void;
  /** Beside the value of a field. */
  extra?: (field: Field) => ReactNode;
  /** What is said about a field, by its name. */
  about?: Record<string, string>;
}

const EMPTY: Field = { name: '', value: '', isOn: true };

export function FieldsEditor({ label, noun, fields, onChange, extra, about = {} }: Props) {
  const rows = [...fields, EMPTY];
  const set = (at: number, changes: Partial<Field>) => {
    const next = rows.map((row, index) => (index === at ? { ...row, ...changes } : row));
    onChange(next.filter(({ name, value }, index) => index < fields.length || name !== '' || value !== ''));
  };
  return (
    <fieldset className={styles.fields}>
      <legend>{label}</legend>
      {rows.map((field, at) => {
        const name = field.name || `new ${noun}`;
        const isNew = at === fields.length;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a row keeps its place while its name is typed
          <div key={at} className={styles.row}>
            <input
              type="checkbox"
              aria-label={`Send ${name}`}
              checked={field.isOn && !isNew}
              disabled={isNew}
              onChange={({ target }) => set(at, { isOn: target.checked })}
            />
            <input
              type="text"
              aria-label={`Name of ${name}`}
              placeholder="name"
              value={field.name}
              spellCheck={false}
              onChange={({ target }) => set(at, { name: target.value, isOn: true })}
            />
            <input
              type="text"
              aria-label={`Value of ${name}`}
              placeholder={about[field.name] ?? 'value'}
              value={field.value}
              spellCheck={false}
              onChange={({ target }) => set(at, { value: target.value, isOn: true })}
            />
            {extra?.(field)}
            {!isNew && (
              <IconButton
                label={`Remove ${name}`}
                icon={X}
                onClick={() => onChange(fields.filter((_, index) => index !== at))}
              />
            )}
          </div>
        );
      })}
    </fieldset>
  );
}
