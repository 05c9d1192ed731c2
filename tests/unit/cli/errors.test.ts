/** Errors with a say in what becomes of an event. */
import { expect, test } from 'vitest';
import { RetryAfterError, toErrorRecord } from '../../../shared/errors.ts';
import { LONGEST_WAIT_S } from '../../../shared/longest-wait.ts';

test.each([0, 0.5, LONGEST_WAIT_S])('a RetryAfterError of %d s', (seconds) => {
  const record = toErrorRecord(new RetryAfterError(seconds, 'busy'));
  expect(record).toMatchObject({ name: 'RetryAfterError', message: 'busy', retryAfterSeconds: seconds });
});

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, LONGEST_WAIT_S + 1])('none of %d s', (seconds) => {
  expect(() => new RetryAfterError(seconds)).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }));
  expect(toErrorRecord({ message: 'm', retryAfterSeconds: seconds })).toEqual({ name: 'Error', message: 'm' });
});
