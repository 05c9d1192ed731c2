/** The place at the right of a screen for one thing of it: opened by its URL, closed by Escape, as wide as one drags it. */
import { X } from 'lucide-react';
import { type CSSProperties, type PointerEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { useShortcut } from '../lib/shortcuts.ts';
import { IconButton } from './button.tsx';
import styles from './panel.module.css';

interface PanelProps {
  title: ReactNode;
  /** What it is about, for those who hear the page. */
  label: string;
  onClose: () => void;
  /** Beside the title. */
  actions?: ReactNode;
  /** Pixels at first. Default 520. */
  width?: number;
  children: ReactNode;
}

const NARROWEST = 320;
const WIDTH_KEY = 'motia-workbench-panel';
const ARROW_STEP = 40;

export function Panel({ title, label, onClose, actions, width: first = 520, children }: PanelProps) {
  const key = `${WIDTH_KEY}-${first}`;
  const [width, setWidth] = useState(() => Number(localStorage.getItem(key)) || first);
  useShortcut('Escape', 'Close the panel', onClose);
  const resize = (next: number) => {
    const allowed = Math.round(Math.min(Math.max(next, NARROWEST), window.innerWidth * 0.8));
    setWidth(allowed);
    localStorage.setItem(key, String(allowed));
  };
  const panel = useRef<HTMLElement>(null);
  useEffect(() => panel.current?.focus({ preventScroll: true }), []);
  const onDrag = (event: PointerEvent<HTMLElement>) => {
    if (event.currentTarget.hasPointerCapture(event.pointerId)) resize(window.innerWidth - event.clientX);
  };
  return (
    <aside
      ref={panel}
      tabIndex={-1}
      aria-label={label}
      data-testid="sidebar-panel"
      className={styles.panel}
      style={{ '--width': `${width}px` } as CSSProperties}
    >
      {/* biome-ignore lint/a11y/useSemanticElements: a line between two places that is moved, which hr is not */}
      <div
        role="separator"
        aria-orientation="vertical"
        aria-label="Width of the panel"
        aria-valuenow={width}
        aria-valuemin={NARROWEST}
        aria-valuemax={Math.round(window.innerWidth * 0.8)}
        tabIndex={0}
        className={styles.edge}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={onDrag}
        onKeyDown={({ key }) => {
          if (key === 'ArrowLeft') resize(width + ARROW_STEP);
          if (key === 'ArrowRight') resize(width - ARROW_STEP);
        }}
      />
      <header className={styles.header}>
        <h2 className={styles.title}>{title}</h2>
        {actions}
        <IconButton label="Close" icon={X} onClick={onClose} data-testid="close-panel" />
      </header>
      <div className={styles.body}>{children}</div>
    </aside>
  );
}

/** A part of a panel with a heading. */
export function Section({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) {
  return (
    <section className={styles.section}>
      <div className={styles.sectionHeader}>
        <h3 className={styles.sectionTitle}>{title}</h3>
        {actions}
      </div>
      {children}
    </section>
  );
}

/** Names with their values; what is `undefined` is left out. */
export function Facts({ facts }: { facts: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className={styles.facts}>
      {facts
        .filter(([, value]) => value !== undefined && value !== false)
        .map(([name, value]) => (
          <div key={name} className={styles.fact}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
