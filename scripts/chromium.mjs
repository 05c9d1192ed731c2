// Finds the Chromium that tests show pages in, and installs it where that is simple: `CHROMIUM`, or a program on the PATH.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const INSTALL_MS = 300_000;

/** @returns {string | undefined} its path */
export function findChromium({ CHROMIUM, PATH = '' } = process.env) {
  if (CHROMIUM && !existsSync(CHROMIUM)) throw new Error(`CHROMIUM is ${CHROMIUM}, where there is nothing`);
  const onPath = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return CHROMIUM || onPath.find((path) => existsSync(path));
}

/** Only as root on a Debian; elsewhere, and when it fails, the tests are skipped and say so. */
export function installChromium() {
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) return;
  console.log('Installing Chromium for the tests of pages …');
  const apt = (...args) => {
    const { status } = spawnSync('apt-get', ['-q', ...args], {
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: INSTALL_MS,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    return status === 0;
  };
  const get = () => apt('install', '-y', '--no-install-recommends', 'chromium');
  if (!get() && !(apt('update') && get())) console.log('Chromium could not be installed.');
}
