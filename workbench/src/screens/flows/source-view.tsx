/** The source of a step, with the features that its project explains. */
import { useMemo, useState } from 'react';
import { useApi } from '../../api/hooks.ts';
import type { StepSource } from '../../api/types.ts';
import { CodeEditor, type CodeEditorProps } from '../../ui/code/code-editor.tsx';
import { ErrorState, Loading } from '../../ui/states.tsx';
import { Copy } from '../../ui/text.tsx';
import styles from './source-view.module.css';

/** @param step its id. @param line that is set off and scrolled to, from 1. */
export function SourceView({ step, line }: { step: string; line?: number | undefined }) {
  const path = `/steps/${encodeURIComponent(step)}/source`;
  const { data: source, error, refetch } = useApi<StepSource>(path);
  const [chosen, setChosen] = useState<string>();
  const feature = source?.features.find(({ id }) => id === chosen);
  const highlight = useMemo(
    () => feature?.lines ?? (line === undefined ? [] : [[line, line] as const]),
    [feature, line],
  );
  if (error) return <ErrorState error={error} what="The source cannot be shown" onRetry={refetch} />;
  if (!source) return <Loading label="Loading the source" />;
  return (
    <div className={styles.source}>
      <p className={styles.path}>
        <code>{source.path}</code>
        <Copy text={source.content} what="the source" />
      </p>
      {source.features.length > 0 && (
        <ul className={styles.features} aria-label="Features">
          {source.features.map(({ id, title, description, link }) => (
            <li key={id}>
              <button
                data-feature-id={id}
                type="button"
                aria-pressed={id === chosen}
                onClick={() => setChosen(id === chosen ? undefined : id)}
              >
                <strong>{title}</strong>
                <span>{description}</span>
              </button>
              {link !== undefined && (
                <a href={link} target="_blank" rel="noreferrer">
                  Read more
                </a>
              )}
            </li>
          ))}
        </ul>
      )}
      <div className={styles.code}>
        <CodeEditor
          value={source.content}
          label={`Source of ${step}`}
          language={languageOf(source.path)}
          highlight={highlight}
          testId="source-code"
        />
      </div>
    </div>
  );
}

function languageOf(path: string): CodeEditorProps['language'] {
  if (path.endsWith('.py')) return 'python';
  return /\.[cm]?tsx?$/.test(path) ? 'typescript' : 'javascript';
}
