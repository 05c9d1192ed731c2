/** The command palette: type a few letters of a screen, flow, step or endpoint, or a trace id, and be there. */
import { type KeyboardEvent, useId, useState } from 'react';
import { useLocation } from 'wouter';
import { useSteps } from '../api/hooks.ts';
import { Dialog } from '../ui/dialog.tsx';
import { type Command, findCommands } from './commands.ts';
import styles from './palette.module.css';

export function Palette({ onClose }: { onClose: () => void }) {
  const { data: steps } = useSteps();
  const [, navigate] = useLocation();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const base = useId();
  const found = findCommands(text, steps);
  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    navigate(command.href);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Enter') run(found[at]);
    if (step === undefined) return;
    event.preventDefault();
    const next = (at + step + found.length) % Math.max(found.length, 1);
    setAt(next);
    document.getElementById(`${base}-${next}`)?.scrollIntoView({ block: 'nearest' });
  };
  return (
    <Dialog label="Search and jump" onClose={onClose} high>
      <input
        className={styles.field}
        type="text"
        role="combobox"
        aria-label="Search and jump"
        aria-expanded
        aria-controls={`${base}-list`}
        aria-activedescendant={found[at] && `${base}-${at}`}
        placeholder="A screen, flow, step, endpoint, or trace id"
        spellCheck={false}
        autoFocus
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div id={`${base}-list`} role="listbox" aria-label="Places" className={styles.list}>
        {found.map((command, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are those of the field, which has the focus
          // biome-ignore lint/a11y/useFocusableInteractive: the field has the focus and tells which one is active
          <div
            key={command.id}
            id={`${base}-${index}`}
            role="option"
            aria-selected={index === at}
            className={styles.option}
            onMouseMove={() => setAt(index)}
            onClick={() => run(command)}
          >
            <span className={styles.title}>{command.title}</span>
            <span className={styles.detail}>{command.detail}</span>
          </div>
        ))}
      </div>
      {found.length === 0 && (
        <p className={styles.none}>Nothing has such a name. A whole trace id leads to its trace.</p>
      )}
    </Dialog>
  );
}
