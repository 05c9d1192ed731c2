/** Which fields of log records are not told. */
import { expect, test } from 'vitest';
import { Redaction } from '../../../shared/redaction.ts';
import { safeFields } from '../../../shared/safe-fields.ts';

test('secrets are left out wherever they are and however their names are written', () => {
  const secret = { toJSON: () => expect.unreachable('it is not looked at') };
  expect(
    safeFields({
      ...{ password: secret, headers: { Authorization: secret, 'set-cookie': [secret], accept: '*/*' } },
      ...{ users: [{ api_key: secret, name: 'Ann', accessToken: null }], tokens: 3 },
    }),
  ).toEqual({
    password: '[redacted]',
    headers: { Authorization: '[redacted]', 'set-cookie': '[redacted]', accept: '*/*' },
    users: [{ api_key: '[redacted]', name: 'Ann', accessToken: '[redacted]' }],
    tokens: 3,
  });
});

test('and so are what a project names, and what a path leads to', () => {
  const redaction = new Redaction(['ssn', 'user.*.card', 'list.0.id']);
  expect(
    safeFields(
      {
        ...{ SSN: 1, card: 2, user: { card: 3, first: { card: 4, cards: 5 }, deep: { er: { card: 6 } } } },
        ...{ list: [{ id: 7 }, { id: 8 }], password: 9 },
      },
      redaction,
    ),
  ).toEqual({
    ...{ SSN: '[redacted]', card: 2, password: '[redacted]' },
    user: { card: 3, first: { card: '[redacted]', cards: 5 }, deep: { er: { card: 6 } } },
    list: [{ id: '[redacted]' }, { id: 8 }],
  });
});
