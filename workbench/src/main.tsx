/** Where the page begins. */
import './ui/tokens.css';
import './ui/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { listenToKeys } from './lib/shortcuts.ts';
import { applyTheme } from './lib/theme.ts';

applyTheme();
listenToKeys();
createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
