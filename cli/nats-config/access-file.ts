/** `access.conf`: accounts, users and their permissions in the syntax of nats-server, of which JSON is a part. */
import { join, type Permissions } from '../../shared/access/permissions.ts';

const HEAD = `# Written by motia nats-config from the steps of the project. Do not edit it: the next run writes it anew.
`;
const NOTHING: Permissions = { publish: [], subscribe: [] };
const DENY_ALL = { publish: { deny: '>' }, subscribe: { deny: '>' } };

export interface AccessUser {
  publicKey: string;
  permissions: Permissions;
}

interface AccessFile {
  accounts: Record<string, { users: { nkey: string; permissions: Permissions }[] }>;
}

/** @param account of the app. Whatever else is in it by hand may do nothing, unless it is said. */
export function accessFile(account: string, users: readonly AccessUser[]): string {
  const accounts = {
    [account]: {
      jetstream: true,
      default_permissions: DENY_ALL,
      users: users.map(({ publicKey, permissions }) => ({ nkey: publicKey, permissions })),
    },
    SYS: { users: [] },
  };
  return `${HEAD}"accounts": ${JSON.stringify(accounts, null, 2)}\n"system_account": "SYS"\n`;
}

/** The users with what an earlier file lets them do besides: for the time in which two versions of an app run. */
export function keepPermissions(users: readonly AccessUser[], earlier: string): AccessUser[] {
  const { accounts } = JSON.parse(
    `{${earlier.replace(/^#.*$/gm, '').replace('"system_account"', ',$&')}}`,
  ) as AccessFile;
  const before = new Map(
    Object.values(accounts)
      .flatMap((account) => account.users)
      .map(({ nkey, permissions }) => [nkey, permissions]),
  );
  return users.map((user) => ({
    ...user,
    permissions: join(user.permissions, before.get(user.publicKey) ?? NOTHING),
  }));
}
