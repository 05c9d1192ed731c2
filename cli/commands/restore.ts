/** `motia restore`: puts back what `motia backup` has saved. */
import { checkBackup, readBackup } from '../../shared/backup/file.ts';
import { type Restored, restoreRecords } from '../../shared/backup/restore.ts';
import { ensureTopology } from '../../shared/broker/topology.ts';
import type { Flags } from '../options.ts';
import { countsText } from '../record-counts.ts';
import { withBroker } from '../with-broker.ts';

export async function restore({ file = '', replace = false, json = false, ...flags }: Flags): Promise<number> {
  const { app, takenAt } = await checkBackup(file); // before anything of it is restored
  return withBroker(flags, 'restore', async (broker, names) => {
    await ensureTopology(broker, names);
    const result = await restoreRecords(broker, names, readBackup(file), { replace });
    console.log(json ? JSON.stringify({ app, takenAt, ...result }, null, 2) : describe(result, takenAt));
    return 0;
  });
}

function describe({ restored, kept, expired }: Restored, takenAt: string): string {
  const lines = [`Restored ${countsText(restored)} as of ${takenAt}`];
  if (Object.values(kept).some((count) => count > 0)) {
    lines.push(`Left alone ${countsText(kept)} that are there already (--replace replaces values and items)`);
  }
  if (expired > 0) lines.push(`Left out ${expired} whose time is over`);
  return lines.join('\n');
}
