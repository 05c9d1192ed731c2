/** CodeMirror, with what we use of it. */
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { json, jsonParseLinter } from '@codemirror/lang-json';
import { bracketMatching, indentOnInput } from '@codemirror/language';
import { linter } from '@codemirror/lint';
import { Compartment, EditorState, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { useEffect, useRef } from 'react';
import type { CodeEditorProps } from './code-editor.tsx';
import styles from './editor.module.css';
import { highlightLines } from './highlight-lines.ts';
import { editorTheme } from './theme.ts';

/** What reads source is loaded for who looks at source. */
const LANGUAGES: Record<CodeEditorProps['language'], () => Extension | Promise<Extension>> = {
  json: () => json(),
  typescript: async () => (await import('@codemirror/lang-javascript')).javascript({ typescript: true, jsx: true }),
  javascript: async () => (await import('@codemirror/lang-javascript')).javascript({ jsx: true }),
  python: async () => (await import('@codemirror/lang-python')).python(),
  text: () => [],
};

export default function Editor({ value, label, language, onChange, highlight, testId }: CodeEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const tell = useRef(onChange);
  tell.current = onChange;
  const isReadOnly = onChange === undefined;
  const first = useRef(value);
  first.current = value;

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const syntax = new Compartment();
    const editor = new EditorView({
      parent: element,
      state: EditorState.create({
        doc: first.current,
        extensions: [
          lineNumbers(),
          drawSelection(),
          bracketMatching(),
          syntax.of([]),
          editorTheme,
          EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
          isReadOnly ? readOnly : writable(language),
          EditorView.updateListener.of(({ docChanged, state }) => {
            if (docChanged && state.doc.toString() !== first.current) tell.current?.(state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    void Promise.resolve(LANGUAGES[language]()).then((read) => editor.dispatch({ effects: syntax.reconfigure(read) }));
    return () => editor.destroy();
  }, [language, label, isReadOnly]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);

  useEffect(() => {
    if (view.current) highlightLines(view.current, highlight ?? []);
  }, [highlight]);

  return <div ref={host} className={styles.host} data-testid={testId} />;
}

const readOnly: Extension = [EditorState.readOnly.of(true)];

const writable = (language: CodeEditorProps['language']): Extension => [
  history(),
  indentOnInput(),
  highlightActiveLine(),
  EditorState.tabSize.of(2),
  // Escape and then Tab leaves the editor, as CodeMirror has it.
  keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
  language === 'json' ? linter(lintJson, { delay: 300 }) : [],
];

const findMistake = jsonParseLinter();
/** Nothing at all is no mistake: it is no body. */
const lintJson = (view: EditorView) => (view.state.doc.toString().trim() === '' ? [] : findMistake(view));
