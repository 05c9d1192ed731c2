/** What a screen begins with is asked for by the script before all others, and by nobody again. */
import { expect, test } from 'vitest';
import { openPage } from '../../helpers/browser.ts';
import { startCli } from '../../helpers/cli.ts';
import { createProject } from '../../helpers/project.ts';
import { eventually } from '../../helpers/wait-for.ts';

const HELLO = `
export const config = { type: 'api', name: 'Hello', method: 'GET', path: '/hello', flows: ['greetings'], emits: [] };
export const handler = async (_req, { logger }) => (logger.error('oh'), { status: 200, body: 'hello' });`;
const API = '/__motia/api/v1';
/** Lists are asked for again after two seconds; sooner would be a second time. */
const SOON_MS = 1_500;

const SCREENS = {
  '': `${API}/flows/layout`,
  '/flows/greetings': `${API}/activity`,
  '/endpoints': `${API}/steps`,
  '/traces?status=completed': `${API}/traces?status=completed&limit=100`,
  '/logs?level=error&text=oh': `${API}/logs?level=error&text=oh&limit=500`,
  '/states': `${API}/state/groups?limit=500`,
  '/streams': `${API}/streams`,
  '/queues': `${API}/queues`,
  '/cron': `${API}/cron`,
};

test('what each screen begins with is asked for once', async (context) => {
  const cli = await startCli('dev', await createProject({ files: { 'src/hello.step.js': HELLO } }));
  await cli.fetch('/hello');
  const page = await openPage(context, 'about:blank');
  let asked: { url: string; at: number }[] = [];
  page.on('request', (request) => {
    const { pathname, search } = new URL(request.url());
    if (pathname.startsWith(API)) asked.push({ url: pathname + search, at: performance.now() });
  });
  for (const [path, first] of Object.entries(SCREENS)) {
    asked = [];
    await page.goto(`${cli.url}/__motia/ui${path}`);
    const left = () =>
      page.evaluate(() => (globalThis as { motiaFirstAnswers?: Map<string, unknown> }).motiaFirstAnswers?.size);
    await eventually(async () => (await left()) === 0, `${path}: all answers are taken`);
    const urls = asked.map(({ url }) => url);
    expect(urls, path).toContain(first);
    expect(urls.slice(0, 2), path).toContain(`${API}/app`);
    for (const { url, at } of asked) {
      const again = asked.filter((other) => other.url === url && other.at > at && other.at < at + SOON_MS);
      expect(again, `${path}: ${url}`).toEqual([]);
    }
  }
});
