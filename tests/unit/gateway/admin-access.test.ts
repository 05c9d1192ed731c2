/** Who may use the admin API. */
import { describe, expect, test } from 'vitest';
import { decideAccess } from '../../../gateway/admin/access.ts';

const TOKEN = 'a long token';
const DEV = { openOnLoopback: true };
const LOCAL = { host: 'localhost:3000' };

describe('elsewhere than in dev', () => {
  test.each([
    ['without a token it is not there', {}, LOCAL, '127.0.0.1', 404],
    ['without a token it is not there, whatever is sent', {}, { ...LOCAL, authorization: 'Bearer ' }, '127.0.0.1', 404],
    ['no token is sent', { token: TOKEN }, LOCAL, '127.0.0.1', 401],
    ['a wrong token is sent', { token: TOKEN }, { ...LOCAL, authorization: 'Bearer another' }, '10.0.0.1', 401],
    ['the beginning of the token is sent', { token: TOKEN }, { authorization: 'Bearer a long toke' }, '10.0.0.1', 401],
    ['the token is sent another way', { token: TOKEN }, { authorization: `Basic ${TOKEN}` }, '10.0.0.1', 401],
  ])('%s', (_, access, headers, address, status) => {
    expect(decideAccess({ openOnLoopback: false, ...access }, headers, address)).toMatchObject({ status });
  });

  test.each(['Bearer', 'bearer', 'BEARER'])('the token grants access to anybody: %s', (scheme) => {
    const headers = { host: 'app.example.com', authorization: `${scheme} ${TOKEN}` };
    expect(decideAccess({ openOnLoopback: false, token: TOKEN }, headers, '10.0.0.1')).toBe('granted');
  });
});

describe('in dev', () => {
  test.each([
    ['localhost:3000', '127.0.0.1'],
    ['LOCALHOST', '::1'],
    ['app.localhost:3000', '::ffff:127.0.0.1'],
    ['127.0.0.1:3000', '127.0.0.1'],
    ['[::1]:3000', '::1'],
  ])('it is open to this machine: %s', (host, address) => {
    expect(decideAccess(DEV, { host }, address)).toBe('granted');
    expect(decideAccess(DEV, { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }, address)).toBe(
      'granted',
    );
  });

  test.each([
    ['another machine', LOCAL, '192.168.1.5'],
    ['another machine that looks like this one', LOCAL, '127.0.0.1.example.com'],
    ['an unknown address', LOCAL, undefined],
    ['a name that leads here by DNS rebinding', { host: 'evil.example.com:3000' }, '127.0.0.1'],
    ['a name that begins like ours', { host: 'localhost.example.com' }, '127.0.0.1'],
    ['a name that ends like ours', { host: 'evillocalhost' }, '127.0.0.1'],
    ['no name', {}, '127.0.0.1'],
    ['a page of another origin', { ...LOCAL, origin: 'https://evil.example.com' }, '127.0.0.1'],
    ['a page on another port of this machine', { ...LOCAL, origin: 'http://localhost:8080' }, '127.0.0.1'],
    ['a page without an origin', { ...LOCAL, origin: 'null' }, '127.0.0.1'],
    ['a form or picture of another site', { ...LOCAL, 'sec-fetch-site': 'cross-site' }, '127.0.0.1'],
    ['a page of another port, by a picture', { ...LOCAL, 'sec-fetch-site': 'same-site' }, '127.0.0.1'],
    ['a tunnel', { ...LOCAL, 'x-forwarded-for': '1.2.3.4' }, '127.0.0.1'],
    ['a proxy', { ...LOCAL, forwarded: 'for=1.2.3.4' }, '127.0.0.1'],
  ])('it is closed to %s', (_, headers, address) => {
    expect(decideAccess(DEV, headers, address)).toMatchObject({ status: 403 });
    expect(decideAccess({ ...DEV, token: TOKEN }, headers, address)).toMatchObject({ status: 401 });
    const withToken = { ...headers, authorization: `Bearer ${TOKEN}` };
    expect(decideAccess({ ...DEV, token: TOKEN }, withToken, address)).toBe('granted');
  });
});
