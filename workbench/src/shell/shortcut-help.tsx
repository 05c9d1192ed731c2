/** What keys do where one is now. */
import { useShortcutList } from '../lib/shortcuts.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Kbd } from '../ui/text.tsx';
import styles from './shortcut-help.module.css';

export function ShortcutHelp({ onClose }: { onClose: () => void }) {
  const shortcuts = useShortcutList();
  return (
    <Dialog label="Keyboard shortcuts" onClose={onClose}>
      <h2 className={styles.title}>Keyboard shortcuts</h2>
      <dl className={styles.list}>
        {shortcuts.map(({ keys, title }) => (
          <div key={keys}>
            <dt>{title}</dt>
            <dd>
              <Kbd keys={keys.replace('Mod+', 'Ctrl ').replace('Escape', 'Esc')} />
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
