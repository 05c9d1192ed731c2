/** `motia version`: prints the version of this package. */
import { ownPackage } from '../../shared/package-root.ts';

export async function version(): Promise<number> {
  console.log(`motia ${ownPackage().version}`);
  return 0;
}
