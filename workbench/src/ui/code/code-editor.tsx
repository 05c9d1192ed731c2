/** Code with colours, to read or to edit. The editor itself is loaded when the first one is shown. */
import { lazy, Suspense } from 'react';
import { Loading } from '../states.tsx';

export interface CodeEditorProps {
  value: string;
  /** What it is, for those who hear the page. */
  label: string;
  language: 'json' | 'typescript' | 'javascript' | 'python' | 'text';
  /** Read-only without it. */
  onChange?: (value: string) => void;
  /** Lines, from 1, that are set off, and that the first of them is scrolled to. */
  highlight?: readonly (readonly [from: number, to: number])[] | undefined;
  testId?: string;
}

const Editor = lazy(() => import('./editor.tsx'));

export function CodeEditor(props: CodeEditorProps) {
  return (
    <Suspense fallback={<Loading label="Loading the editor" />}>
      <Editor {...props} />
    </Suspense>
  );
}
