import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { discoverSteps } from '../../../shared/steps/discover.ts';
import { Project } from './project.ts';

test('finds steps and streams by name, sorted, in src and steps only', () => {
  const files = [
    'steps/z.step.ts',
    'src/a.step.js',
    'src/deep/er/b_step.ts',
    'src/c.step.mts',
    'src/d_step.cjs',
    'src/chat.stream.ts',
    'src/users_stream.js',
    'src/p_step.py',
    'src/room_stream.py',
    'steps/q.step.py',
    // None of these:
    'src/a.step.tsx',
    'src/step.ts',
    'src/footstep.ts',
    'src/a.step.ts.bak',
    'src/.hidden.step.ts',
    'src/.cache/x.step.ts',
    'src/node_modules/pkg/x.step.ts',
    'lib/x.step.ts',
    'x.step.ts',
  ];
  const project = new Project(Object.fromEntries(files.map((file) => [file, ''])));
  expect(discoverSteps(project.root)).toEqual({
    steps: ['src/a.step.js', 'src/c.step.mts', 'src/d_step.cjs', 'src/deep/er/b_step.ts', 'steps/z.step.ts'],
    streams: ['src/chat.stream.ts', 'src/users_stream.js'],
    python: ['src/p_step.py', 'src/room_stream.py', 'steps/q.step.py'],
  });
});

test('follows symbolic links, but not in circles; dangling ones are ignored', () => {
  const project = new Project({ 'src/a.step.ts': '', 'shared/b.step.ts': '' });
  symlinkSync(join(project.root, 'shared'), join(project.root, 'src/linked'));
  symlinkSync(join(project.root, 'src'), join(project.root, 'src/loop'));
  symlinkSync(join(project.root, 'nowhere'), join(project.root, 'src/gone.step.ts'));
  expect(discoverSteps(project.root).steps).toEqual(['src/a.step.ts', 'src/linked/b.step.ts']);
});

test('a project without these folders has no steps', () => {
  expect(discoverSteps(new Project({}).root)).toEqual({ steps: [], streams: [], python: [] });
});
