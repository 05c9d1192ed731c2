/** `motia backup`: saves what the app has stored in a file. */
import { checkBackup, writeBackup } from '../../shared/backup/file.ts';
import { readApp } from '../../shared/backup/read-app.ts';
import type { Flags } from '../options.ts';
import { countsText } from '../record-counts.ts';
import { withBroker } from '../with-broker.ts';

export async function backup({ file, json = false, ...flags }: Flags): Promise<number> {
  return withBroker(flags, 'backup', async (broker, names, { app }) => {
    const takenAt = new Date().toISOString();
    const path = file ?? `${app}-${takenAt.slice(0, 19).replaceAll(':', '')}.backup.gz`;
    await writeBackup(path, { app, takenAt }, readApp(broker, names));
    const { counts } = await checkBackup(path); // what the disk has, not what it was given
    console.log(json ? JSON.stringify({ file: path, counts }, null, 2) : `${path} has ${countsText(counts)}`);
    return 0;
  });
}
