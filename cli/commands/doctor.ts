/** `motia doctor`: looks at everything that a start needs, and says what to do. Exits with 1 when something would fail. */
import { CHECKS, type Finding } from '../doctor/checks.ts';
import { measurePowerCuts } from '../doctor/power-cut.ts';
import { findNatsServer } from '../nats-server.ts';
import { type CommandOptions, commandOptions, type Flags } from '../options.ts';
import { sayIfSlow } from '../say-if-slow.ts';
import { table } from '../table.ts';

const MARKS: Readonly<Record<Finding['status'], string>> = { ok: 'ok  ', warn: 'note', fail: 'FAIL' };

export async function doctor(flags: Flags): Promise<number> {
  const options = commandOptions(flags, 'readable');
  if (flags.powerCut) return powerCut(options, flags.json);
  const looking = Promise.all(
    CHECKS.map(async ({ name, look }) => {
      const finding = await look(options).catch((error: Error): Finding => ({ status: 'fail', text: error.message }));
      return { name, ...finding };
    }),
  );
  const findings = await sayIfSlow('Looking …', looking);
  if (flags.json) console.log(JSON.stringify(findings, null, 2));
  else for (const finding of findings) console.log(toText(finding));
  return findings.some(({ status }) => status === 'fail') ? 1 : 0;
}

function toText({ name, status, text, advice }: Finding & { name: string }): string {
  const line = `${MARKS[status]}  ${name.padEnd(8)} ${text}`;
  return advice === undefined ? line : `${line}\n      ${' '.repeat(8)} → ${advice}`;
}

/** @returns 1 if the disk does not keep even what was synced to it. */
async function powerCut({ dataDir, env }: CommandOptions, json = false): Promise<number> {
  const { natsServer: configured, searchPath, cacheDir } = env;
  const { path } = await findNatsServer({ configured, searchPath, cacheDir, progress: console.error });
  console.error(`Two power cuts on the disk of ${dataDir}, which take up to half a minute …`);
  const cuts = await measurePowerCuts(dataDir, path);
  if (json) console.log(JSON.stringify(cuts, null, 2));
  else {
    const rows = cuts.map((cut) => [cut.sync, cut.acknowledged, cut.kept, cut.writesPerSecond].map(String));
    console.log(table(['SYNC_INTERVAL', 'ACKNOWLEDGED', 'KEPT', 'WRITES/S'], rows));
    console.log(
      '\nWith the default, what was written in the last minutes is on the disk only if the system wrote it there meanwhile. For',
    );
    console.log(
      'work that a power cut must not cost, run a broker with sync_interval: always, or three on separate power (NATS_URL).',
    );
  }
  return cuts.every(({ sync, acknowledged, kept }) => sync === 'default' || kept === acknowledged) ? 0 : 1;
}
