/** What every node of the graph is made of: a head with kind and language, what the step does, how it fares, and its dots. */
import { Braces, CalendarClock, Circle, Globe, type LucideIcon, Pause, Search, Zap } from 'lucide-react';
import type { ReactNode } from 'react';
import { IconButton } from '../../../ui/button.tsx';
import { classNames } from '../../../ui/class-names.ts';
import { Hidden } from '../../../ui/hidden.tsx';
import { hasInput, hasOutput } from '../graph.ts';
import { useLoad, usePulse } from '../live.ts';
import { BaseHandle } from './base-handle.tsx';
import styles from './base-node.module.css';
import type { StepNodeProps } from './node-types.ts';

export type NodeVariant = 'api' | 'event' | 'cron' | 'noop';

export interface BaseNodeProps extends StepNodeProps {
  /** Default: the name of the step. */
  title?: string;
  /** Default: its description. */
  subtitle?: string | undefined;
  variant: NodeVariant;
  /** Without the dot at its start, or at its end. */
  disableTargetHandle?: boolean;
  disableSourceHandle?: boolean;
  children?: ReactNode;
}

const ICONS: Record<NodeVariant, LucideIcon> = { api: Globe, event: Zap, cron: CalendarClock, noop: Circle };
const LANGUAGES = { node: 'TypeScript', python: 'Python' };

export function BaseNode(props: BaseNodeProps) {
  const { data, variant, selected, children, disableSourceHandle, disableTargetHandle } = props;
  const { title = data.name, subtitle = data.description } = props;
  const Icon = ICONS[variant];
  const word = title.toLowerCase();
  return (
    <div
      data-tone={variant}
      className={classNames(styles.node, variant === 'noop' && styles.noop, selected === true && styles.selected)}
      data-testid={`node-${word.replaceAll(' ', '-')}`}
    >
      <Ring step={data.id} />
      {!disableTargetHandle && hasInput(data) && (
        <BaseHandle
          type="target"
          position={data.targetSide}
          onToggle={(side) => data.onSide(data.id, 'target', side)}
        />
      )}
      <div className={styles.head}>
        <span className={styles.kind}>
          <Icon size={14} aria-hidden />
          <Hidden>{variant} step</Hidden>
        </span>
        <span className={styles.title}>{title}</span>
        <Language file={data.file} language={data.language} />
        <IconButton
          label={`Source of ${title}`}
          icon={Search}
          className={classNames('nodrag', styles.source)}
          data-testid={`open-code-preview-button-${word}`}
          onClick={(event) => {
            event.stopPropagation();
            data.onSource(data.id);
          }}
        />
      </div>
      {subtitle && <p className={styles.about}>{subtitle}</p>}
      {children}
      <Load step={data.id} />
      {!disableSourceHandle && hasOutput(data) && (
        <BaseHandle
          type="source"
          position={data.sourceSide}
          onToggle={(side) => data.onSide(data.id, 'source', side)}
        />
      )}
    </div>
  );
}

function Language({ file, language }: { file: string; language: 'node' | 'python' }) {
  const short = language === 'python' ? 'PY' : /\.[cm]?ts$/.test(file) ? 'TS' : 'JS';
  return (
    <span className={styles.language} title={short === 'JS' ? 'JavaScript' : LANGUAGES[language]}>
      {short}
    </span>
  );
}

/** Shines as long as the step runs again and again. */
const Ring = ({ step }: { step: string }) => <span className={styles.ring} data-pulse={usePulse(step)} aria-hidden />;

function Load({ step }: { step: string }) {
  const { activity, waiting, inFlight, isPaused } = useLoad(step);
  const { runs = 0, failed = 0, running = 0 } = activity ?? {};
  if (runs + failed + running + waiting + inFlight === 0 && !isPaused) return null;
  return (
    <ul className={styles.load} aria-label="The last five minutes">
      {runs > 0 && (
        <li>
          {runs} {runs === 1 ? 'run' : 'runs'}
        </li>
      )}
      {running > 0 && <li className={styles.running}>{running} running</li>}
      {failed > 0 && (
        <li className={styles.failed} data-testid="node-failed">
          {failed} failed
        </li>
      )}
      {waiting > 0 && (
        <li className={styles.waiting}>
          <Braces size={11} aria-hidden /> {waiting} waiting
        </li>
      )}
      {isPaused && (
        <li className={styles.waiting}>
          <Pause size={11} aria-hidden /> paused
        </li>
      )}
    </ul>
  );
}
