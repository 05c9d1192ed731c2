/** `nats.conf`: a server for the app, to be changed by hand; what follows from the steps is in the file that it includes. */

export interface TlsFiles {
  cert: string;
  key: string;
  /** Clients have to show a certificate of this authority. */
  ca?: string | undefined;
}

export function serverFile(accessFile: string, tls: TlsFiles | undefined): string {
  return `# Written once by motia nats-config; from now on it is yours. What the users may do is in the file that it includes.
port: 4222
http: "127.0.0.1:8222"
max_payload: 8MB
jetstream {
  store_dir: "/data"
  # Each write is on the disk before it is acked. That costs throughput; three servers on separate power are the other way.
  sync_interval: always
}
include ${JSON.stringify(accessFile)}
${tls ? tlsBlock(tls) : ''}`;
}

function tlsBlock({ cert, key, ca }: TlsFiles): string {
  const lines = [`cert_file: ${JSON.stringify(cert)}`, `key_file: ${JSON.stringify(key)}`];
  if (ca !== undefined) lines.push(`ca_file: ${JSON.stringify(ca)}`, 'verify: true');
  return `tls {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`;
}
