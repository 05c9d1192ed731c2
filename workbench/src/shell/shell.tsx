/** What is around every screen: header, navigation, palette, help. */
import { type ReactNode, useEffect, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { useShortcut } from '../lib/shortcuts.ts';
import { SCREENS, type Screen } from '../screens/index.ts';
import { Hidden } from '../ui/hidden.tsx';
import { Header } from './header.tsx';
import { Palette } from './palette.tsx';
import styles from './shell.module.css';
import { ShortcutHelp } from './shortcut-help.tsx';

export function Shell({ children }: { children: ReactNode }) {
  const [open, setOpen] = useState<'palette' | 'help'>();
  const close = () => setOpen(undefined);
  const [path] = useLocation();
  const title = SCREENS.find(({ id }) => path === `/${id}` || path.startsWith(`/${id}/`))?.title ?? 'Workbench';
  useEffect(() => {
    document.title = `${title} · Motia`;
  }, [title]);
  useShortcut('Mod+k', 'Search and jump', () => setOpen('palette'));
  useShortcut('?', 'Keyboard shortcuts', () => setOpen('help'));
  return (
    <div className={styles.shell}>
      <a href="#main" className={styles.skip}>
        Skip to the content
      </a>
      <Header onPalette={() => setOpen('palette')} onHelp={() => setOpen('help')} />
      <nav aria-label="Screens" className={styles.nav}>
        <ul>
          {SCREENS.map((screen) => (
            <li key={screen.id}>
              <NavLink screen={screen} />
            </li>
          ))}
        </ul>
      </nav>
      <main id="main" tabIndex={-1} className={styles.main}>
        <h1>
          <Hidden>{title}</Hidden>
        </h1>
        {children}
      </main>
      {open === 'palette' && <Palette onClose={close} />}
      {open === 'help' && <ShortcutHelp onClose={close} />}
    </div>
  );
}

function NavLink({ screen: { id, title, icon: Icon, key, testId } }: { screen: Screen }) {
  const [path, navigate] = useLocation();
  useShortcut(`g ${key}`, `Go to ${title}`, () => navigate(`/${id}`));
  const isHere = path === `/${id}` || path.startsWith(`/${id}/`);
  return (
    <Link
      href={`/${id}`}
      data-testid={testId}
      aria-current={isHere ? 'page' : undefined}
      title={`${title} (g ${key})`}
      className={styles.link}
    >
      <Icon size={16} strokeWidth={1.75} aria-hidden />
      <span>{title}</span>
    </Link>
  );
}
