/** The body of a request: JSON that is held against the step's schema, a form with files, text, or a file. */
import { CircleAlert } from 'lucide-react';
import { useCallback } from 'react';
import { useFillEditor } from '../../lib/fill-editor.ts';
import { CodeEditor } from '../../ui/code/code-editor.tsx';
import { Segments } from '../../ui/filters.tsx';
import styles from './body-editor.module.css';
import type { BodyKind, Draft, Field, Files } from './draft.ts';
import { FieldsEditor } from './fields-editor.tsx';

interface Props {
  draft: Draft;
  onChange: (changes: Partial<Draft>) => void;
  problems: readonly string[];
  files: Files;
  onFiles: (files: Files) => void;
}

const KINDS: readonly { value: BodyKind; title: string }[] = [
  { value: 'json', title: 'JSON' },
  { value: 'form', title: 'Form' },
  { value: 'text', title: 'Text' },
  { value: 'file', title: 'File' },
  { value: 'none', title: 'None' },
];

export function BodyEditor({ draft, onChange, problems, files, onFiles }: Props) {
  const { bodyKind, text, form } = draft;
  const isText = bodyKind === 'json' || bodyKind === 'text';
  useFillEditor(useCallback((text: string) => onChange({ bodyKind: 'json', text }), [onChange]));
  const choose = (field: string, file: File | undefined) => onFiles({ ...files, ...(file && { [field]: file }) });
  return (
    <div className={styles.body}>
      <div className={styles.kinds}>
        <Segments
          label="Kind of body"
          value={bodyKind}
          options={KINDS}
          onChange={(kind) => onChange({ bodyKind: kind as BodyKind })}
        />
      </div>
      {isText && (
        <div className={styles.editor}>
          <CodeEditor
            key={bodyKind}
            label="Body of the request"
            language={bodyKind === 'json' ? 'json' : 'text'}
            value={text}
            onChange={(text) => onChange({ text })}
            testId="json-editor"
          />
        </div>
      )}
      {bodyKind === 'form' && (
        <FieldsEditor
          label="Fields of the form"
          noun="field"
          fields={form}
          onChange={(form) => onChange({ form })}
          extra={(field) => <FileOf field={field} onFile={(file) => choose(field.name, file)} />}
        />
      )}
      {bodyKind === 'file' && (
        <label className={styles.file}>
          The body is this file
          <input type="file" onChange={({ target }) => choose('body', target.files?.[0])} />
        </label>
      )}
      {problems.length > 0 && (
        <div className={styles.problems} role="status" data-testid="endpoint-body-tab-invalid">
          <p>
            <CircleAlert size={14} aria-hidden /> The body payload is invalid. You may send it all the same.
          </p>
          <ul>
            {problems.map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

/** A field may be a file instead of a text. */
const FileOf = ({ field, onFile }: { field: Field; onFile: (file: File | undefined) => void }) =>
  field.name === '' ? null : (
    <input
      type="file"
      className={styles.fieldFile}
      aria-label={`File for ${field.name}`}
      onChange={({ target }) => onFile(target.files?.[0])}
    />
  );
