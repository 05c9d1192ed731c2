/** `motia nats-config`: the configuration of a server on which each role of the app may do what it needs, and nothing else. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { permissionsOf, stepsFor, userNames } from '../../shared/access/roles.ts';
import { appName } from '../../shared/config.ts';
import { createNames } from '../../shared/protocol/subjects.ts';
import { checkPart } from '../../shared/steps/app-part.ts';
import type { ProjectSettings } from '../../shared/steps/project-settings.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { describeProject } from '../generate/project.ts';
import { type AccessUser, accessFile, keepPermissions } from '../nats-config/access-file.ts';
import { readRelease } from '../nats-config/chart-values.ts';
import { languageGroups, workerGroups } from '../nats-config/groups.ts';
import { ensureSeeds } from '../nats-config/seeds.ts';
import { serverFile, type TlsFiles } from '../nats-config/server-file.ts';
import { commandOptions, type Flags } from '../options.ts';

const ACCESS_FILE = 'access.conf';

export async function natsConfig(flags: Flags): Promise<number> {
  const tls = tlsFiles(flags);
  if (flags.values && (flags.groups || tls))
    throw new CliError(
      '--values says which groups and which server there are: leave out --group and --tls-…',
      EXIT.usage,
    );
  const release = flags.values && readRelease(flags.values);
  const named = release?.workers ?? (flags.groups && workerGroups(flags.groups));
  const options = commandOptions(flags, 'readable');
  const { steps, streams, streamAuth } = await describeProject(options);
  const workers = named ?? languageGroups(steps);
  for (const group of workers.values()) checkPart(group, stepsFor(group, steps));
  const dir = resolve(options.root, flags.out ?? 'nats');
  const roles = { workers, adminApi: flags.adminApi ?? release?.adminApi ?? false };
  const publicKeys = ensureSeeds(dir, userNames(roles));
  const settings = { ...(streamAuth && { streamAuth }) } as ProjectSettings;
  const app = release?.app ? appName(options.root, release) : options.app;
  const names = createNames(app, release?.partitions ?? options.env.partitions);
  const permissions = permissionsOf(names, { steps, streams, settings }, publicKeys, roles);
  let users: AccessUser[] = [...permissions].map(([user, own]) => ({
    publicKey: publicKeys.get(user) as string,
    permissions: own,
  }));
  const file = join(dir, ACCESS_FILE);
  if (flags.keep && existsSync(file)) users = keepPermissions(users, readFileSync(file, 'utf8'));
  writeFileSync(file, accessFile(app, users));
  writeIfAbsent(join(dir, '.gitignore'), '*.nk\n');
  const shown = relative(process.cwd(), dir) || '.';
  console.log(`Wrote ${shown}/${ACCESS_FILE}: what ${[...publicKeys.keys()].join(', ')} may do`);
  if (release) tellOfCluster(shown);
  else tellOfServer(shown, writeIfAbsent(join(dir, 'nats.conf'), serverFile(ACCESS_FILE, tls), flags.force));
  if (tls) console.log('Clients need NATS_CA, and NATS_CERT and NATS_KEY if the server asks for them');
  return 0;
}

function tlsFiles({ tlsCert: cert, tlsKey: key, tlsCa: ca }: Flags): TlsFiles | undefined {
  if (cert === undefined && key === undefined && ca === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw new CliError('TLS takes --tls-cert and --tls-key, the certificate of the server and its key', EXIT.usage);
  return { cert, key, ca };
}

/** @returns whether it was written. */
function writeIfAbsent(file: string, text: string, force = false): boolean {
  if (!force && existsSync(file)) return false;
  writeFileSync(file, text);
  return true;
}

function tellOfServer(dir: string, isNew: boolean): void {
  console.log(
    isNew
      ? `Wrote ${dir}/nats.conf. Start the server with it: nats-server -c ${dir}/nats.conf`
      : `${dir}/nats.conf is as it was (--force writes it anew). Have the server read the new permissions: nats-server --signal reload`,
  );
  console.log(`Give each process its own seed, and none of the others: NATS_NKEY=${dir}/<user>.nk`);
  console.log('Then run motia provision --keep as provision, and everything else with MOTIA_PROVISION=off');
}

function tellOfCluster(dir: string): void {
  console.log('Bring it to the cluster, with the seeds, as the secret that nats.accessSecret names:');
  console.log(
    `kubectl create secret generic <name> --from-file=${dir} --dry-run=client -o yaml | kubectl apply --server-side -f -`,
  );
}
