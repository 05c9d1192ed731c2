/** `motia version`: prints the version of this package. */
import { readFileSync } from 'node:fs';

export function packageVersion(): string {
  const packageJson = new URL('../../../package.json', import.meta.url); // from dist/cli/commands
  return (JSON.parse(readFileSync(packageJson, 'utf8')) as { version: string }).version;
}

export async function version(): Promise<number> {
  console.log(`motia ${packageVersion()}`);
  return 0;
}
