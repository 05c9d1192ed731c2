/** `motia doctor`: looks at everything that a start needs, and says what to do. Exits with 1 when something would fail. */
import { CHECKS, type Finding } from '../doctor/checks.ts';
import { commandOptions, type Flags } from '../options.ts';
import { sayIfSlow } from '../say-if-slow.ts';

const MARKS: Readonly<Record<Finding['status'], string>> = { ok: 'ok  ', warn: 'note', fail: 'FAIL' };

export async function doctor(flags: Flags): Promise<number> {
  const options = commandOptions(flags, 'readable');
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
