/** Pages in headless Chromium: bundled from a module of the test, served on loopback, looked at through playwright. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, type TestContext } from 'vitest';
// @ts-expect-error a script without types
import { findChromium } from '../../scripts/chromium.mjs';

export interface ServedPage extends AsyncDisposable {
  /** Where it is, with a slash at the end. */
  readonly url: string;
}

let browser: Promise<Browser> | undefined;
afterAll(async () => (await browser)?.close());

/** A page in a window of its own, with nothing stored. */
export async function openPage(context: TestContext, url: string): Promise<Page> {
  const page = await (await openBrowser(context)).newPage();
  const errors: string[] = [];
  errorsByPage.set(page, errors);
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.goto(url);
  return page;
}

const errorsByPage = new WeakMap<Page, string[]>();

/** What a page has thrown, or logged as an error, so far. */
export const errorsOf = (page: Page): string[] => errorsByPage.get(page) ?? [];

/** One for all tests of a file. Skips the test where there is no Chromium. */
async function openBrowser(context: TestContext): Promise<Browser> {
  const executablePath: string | undefined = findChromium();
  context.skip(executablePath === undefined, 'there is no Chromium, neither as CHROMIUM nor on the PATH');
  browser ??= chromium.launch({ executablePath: executablePath as string, args: ['--no-sandbox'] });
  return browser;
}

/** Serves a page whose script is a module that is bundled, with `#root` for what it shows. */
export async function servePage(module: string): Promise<ServedPage> {
  const { outputFiles } = await build({
    entryPoints: [module],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    define: { 'process.env.NODE_ENV': '"development"' },
    logLevel: 'silent',
  });
  const script = outputFiles[0]?.text ?? '';
  const server = createServer(({ url }, response) => {
    if (url === '/page.js') response.setHeader('content-type', 'text/javascript; charset=utf-8').end(script);
    else if (url === '/') response.setHeader('content-type', 'text/html; charset=utf-8').end(HTML);
    else response.writeHead(204).end(); // the icon that browsers ask for
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const HTML =
  '<!doctype html><title>Page of a test</title><div id="root"></div><script type="module" src="/page.js"></script>';
