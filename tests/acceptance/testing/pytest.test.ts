/** The fixtures of pytest as the documentation shows them, and what they promise beyond that. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { documentedFiles } from '../../helpers/documented-files.ts';
import { createProject, fixtureApp, REPOSITORY } from '../../helpers/project.ts';
import { pythonEnvironment } from '../../helpers/python.ts';

const CONFTEST = `
import pytest


@pytest.fixture(scope="session")
def motia_options():
    return {"start_time": "2099-01-01T00:00:00Z"}
`;

const MORE = `
import pytest
from motia import MotiaError


def test_events_of_a_fifo_step_do_not_wait(motia_app):
    done = motia_app.watch("stage.done")
    for stage in ("paid", "sent"):
        motia_app.emit("stage", {"stage": stage}, message_group_id="o-1")
    motia_app.wait_events()
    assert done.data == [{"stage": "paid", "attempt": 3}, {"stage": "sent", "attempt": 3}]


def test_time_and_mistakes(motia_app):
    assert motia_app.clock.now().year == 2099
    with pytest.raises(MotiaError, match="no length of time"):
        motia_app.clock.advance("soon")
    assert motia_app.get("/nowhere").status == 404
`;

test('`motia pytest` in a project with Python steps', async (context) => {
  const python = await pythonEnvironment(context);
  const { root } = await createProject({
    copyOf: fixtureApp('greeting'),
    files: {
      'tests/test_greeting.py': (await documentedFiles('testing.md'))['tests/test_greeting.py'] ?? '',
      'tests/test_more.py': MORE,
      'conftest.py': CONFTEST,
    },
    packages: {},
  });
  const cli = join(REPOSITORY, 'dist/cli/main.js');
  const args = [cli, 'pytest', '--', '-q', '-p', 'no:cacheprovider', '-p', 'no:asyncio'];
  const env = { ...process.env, ...python, PYTHONDONTWRITEBYTECODE: '1' };
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env }).catch((error) => {
    throw new Error(`${error.message}\n${error.stdout}`);
  });
  expect(stdout).toMatch(/^5 passed/m);
});
