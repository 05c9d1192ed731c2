/** The top of the page: which app this is, how it is, and what leads everywhere. */
import { CircleHelp, LogOut, Monitor, Moon, Search, Sun } from 'lucide-react';
import { Link } from 'wouter';
import { keptToken } from '../api/address.ts';
import { useApp } from '../api/hooks.ts';
import { setToken } from '../api/token.ts';
import { chooseTheme, THEMES, useTheme } from '../lib/theme.ts';
import { Tutorial } from '../tutorial/tutorial.tsx';
import { Badge } from '../ui/badge.tsx';
import { IconButton } from '../ui/button.tsx';
import { Kbd } from '../ui/text.tsx';
import styles from './header.module.css';
import { HealthDot } from './health.tsx';

const THEME_ICONS = { system: Monitor, light: Sun, dark: Moon };

export function Header({ onPalette, onHelp }: { onPalette: () => void; onHelp: () => void }) {
  const { data: app } = useApp();
  const { theme } = useTheme();
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system';
  return (
    <header className={styles.header}>
      <Link href="/" className={styles.app} aria-label={`Workbench of ${app?.app ?? 'the app'}`}>
        <img src={`${import.meta.env.BASE_URL}icon.svg`} alt="" width={22} height={22} data-testid="logo-icon" />
        <span className={styles.name}>{app?.app ?? 'Workbench'}</span>
      </Link>
      {app && <Badge tone={app.mode === 'dev' ? 'accent' : 'plain'}>{app.mode}</Badge>}
      <HealthDot />
      {app && (
        <span className={styles.version} title={app.version && `Version ${app.version} of the steps`}>
          motia {app.motiaVersion}
        </span>
      )}
      <div className={styles.end}>
        <button type="button" className={styles.search} onClick={onPalette}>
          <Search size={14} aria-hidden />
          <span>Search or jump to…</span>
          <Kbd keys="Ctrl K" />
        </button>
        <Tutorial />
        <IconButton
          label={`Colours: ${theme}. Change to ${next}`}
          icon={THEME_ICONS[theme]}
          onClick={() => chooseTheme(next)}
          data-testid="theme-toggle"
        />
        <IconButton label="Keyboard shortcuts" icon={CircleHelp} onClick={onHelp} />
        {keptToken() !== undefined && <IconButton label="Sign out" icon={LogOut} onClick={() => setToken(undefined)} />}
      </div>
    </header>
  );
}
