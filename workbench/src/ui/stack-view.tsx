/** The stack of an error: lines of the project lead to their source, the others step back. */
import { Link } from 'wouter';
import { useSteps } from '../api/hooks.ts';
import { toFrames } from '../lib/stack.ts';
import styles from './stack-view.module.css';
import { Copy } from './text.tsx';

/** @param sourceHref where the source of a step at a line is shown. */
export function StackView({
  stack,
  sourceHref,
}: {
  stack: string;
  sourceHref: (step: string, line: number) => string;
}) {
  const { steps = [] } = useSteps().data ?? {};
  const frames = toFrames(
    stack,
    steps.map(({ file }) => file),
  );
  const stepOf = (file: string) => steps.find((step) => step.file === file)?.id ?? '';
  return (
    <div className={styles.stack}>
      <div className={styles.copy}>
        <Copy text={stack} what="the stack" />
      </div>
      <pre>
        {frames.map(({ text, file, line = 1 }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines of one text
          <span key={index} className={file === undefined ? styles.other : styles.own}>
            {file === undefined ? text : <Link href={sourceHref(stepOf(file), line)}>{text}</Link>}
            {'\n'}
          </span>
        ))}
      </pre>
    </div>
  );
}
