import { describe, expect, test } from 'vitest';
import { corsHeaders, preflightHeaders } from '../../../gateway/cors.ts';

const APP = 'https://app.example';
const OTHER = 'https://other.example';

describe('corsHeaders', () => {
  test('a wildcard admits every origin, without credentials', () => {
    expect(corsHeaders('*', APP)).toEqual({ 'access-control-allow-origin': '*' });
    expect(corsHeaders('*', undefined)).toEqual({ 'access-control-allow-origin': '*' });
  });

  test('a list admits its members, with credentials', () => {
    expect(corsHeaders([OTHER, APP], APP)).toEqual({
      'access-control-allow-origin': APP,
      'access-control-allow-credentials': 'true',
      vary: 'origin',
    });
  });

  test.each([OTHER, `${APP}.evil.example`, `${APP}:8443`, 'null', '*', '', undefined])(
    'a list does not admit %s, but tells caches that it might have',
    (origin) => {
      expect(corsHeaders([APP], origin)).toEqual({ vary: 'origin' });
    },
  );

  test('an empty list turns CORS off', () => {
    expect(corsHeaders([], APP)).toEqual({});
  });

  test('the caller may change the result', () => {
    corsHeaders('*', APP)['x-extra'] = '1';
    expect(corsHeaders('*', APP)).not.toHaveProperty('x-extra');
  });
});

describe('preflightHeaders', () => {
  const plain = { origin: APP, headers: undefined, privateNetwork: undefined };

  test('names the methods, echoes the headers and is cached for ten minutes', () => {
    expect(preflightHeaders('*', { ...plain, headers: 'x-a,authorization' }, ['GET', 'POST'])).toEqual({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'x-a,authorization',
      'access-control-max-age': '600',
    });
  });

  test('admits the private network only when asked', () => {
    expect(preflightHeaders([APP], { ...plain, privateNetwork: 'true' }, ['GET'])).toEqual({
      'access-control-allow-origin': APP,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET',
      'access-control-allow-private-network': 'true',
      'access-control-max-age': '600',
      vary: 'origin',
    });
    expect(preflightHeaders([APP], plain, ['GET'])).not.toHaveProperty('access-control-allow-private-network');
  });

  test('tells an origin that is not admitted nothing', () => {
    const asking = { origin: OTHER, headers: 'x-a', privateNetwork: 'true' };
    expect(preflightHeaders([APP], asking, ['GET'])).toEqual({ vary: 'origin' });
    expect(preflightHeaders([], asking, ['GET'])).toEqual({});
  });
});
