/** How the page is built, into `dist/workbench` beside the gateway that serves it, and shown while it is worked on. */
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig, type ProxyOptions } from 'vite';
import { BASE } from './base.ts';
import { firstLoad } from './first-load.ts';
import { precompress } from './precompress.ts';

/** What all screens need is one chunk, and another what only some of them share. The editor is in neither: it is loaded when the first one is shown. */
const EVERYWHERE =
  /rolldown\/runtime|\/node_modules\/(react|react-dom|scheduler|wouter|lucide-react|@tanstack)\/|\/workbench\/src\/(api|lib|ui)\/(?!code\/(?!code-editor))/;
const CHUNKS = [
  { name: 'shared', test: EVERYWHERE },
  { name: 'some-screens', test: /\/workbench\/src\/screens\//, minShareCount: 2 },
];

/** The app whose data a page under work shows: `MOTIA_URL=http://localhost:3001 npm run dev -w workbench`. */
const app = process.env.MOTIA_URL ?? 'http://localhost:3000';

/** To the app, which is open to pages of its own origin only. */
const proxy: ProxyOptions = {
  target: app,
  changeOrigin: true,
  ws: true,
  headers: { origin: app },
  configure: (server) => server.on('proxyReq', (request) => request.removeHeader('sec-fetch-site')),
};

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: BASE,
  plugins: [react(), firstLoad(), precompress()],
  build: {
    outDir: '../dist/workbench',
    emptyOutDir: true,
    target: 'es2022',
    manifest: true,
    license: { fileName: 'licenses.md' },
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // A request costs more than some kilobytes that another screen needs.
    cssCodeSplit: false,
    rolldownOptions: { output: { codeSplitting: { groups: CHUNKS } } },
    reportCompressedSize: false,
  },
  // Whatever is not the page is the app's.
  server: { proxy: { [`^/(?!${BASE.slice(1)})`]: proxy } },
});
