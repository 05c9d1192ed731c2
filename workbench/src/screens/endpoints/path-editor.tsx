/** What the path and the query of a request have for values. */
import type { StepEntry } from '../../api/types.ts';
import { type Draft, variablesOf } from './draft.ts';
import styles from './fields.module.css';
import { FieldsEditor } from './fields-editor.tsx';

interface Props {
  step: StepEntry;
  draft: Draft;
  onChange: (changes: Partial<Draft>) => void;
}

export function PathEditor({ step, draft, onChange }: Props) {
  const variables = variablesOf(step);
  const about = Object.fromEntries((step.queryParams ?? []).map(({ name, description }) => [name, description]));
  return (
    <>
      {variables.length > 0 && (
        <fieldset className={styles.fields}>
          <legend>Path</legend>
          {variables.map(({ name, isOptional }) => (
            <label key={name} className={styles.row}>
              <span className={styles.name}>{name}</span>
              <input
                type="text"
                placeholder={isOptional ? 'may be empty' : 'value'}
                value={draft.path[name] ?? ''}
                spellCheck={false}
                onChange={({ target }) => onChange({ path: { ...draft.path, [name]: target.value } })}
              />
            </label>
          ))}
        </fieldset>
      )}
      <FieldsEditor
        label="Query"
        noun="parameter"
        fields={draft.query}
        about={about}
        onChange={(query) => onChange({ query })}
      />
    </>
  );
}
