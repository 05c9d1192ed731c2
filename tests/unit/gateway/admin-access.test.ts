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
    expect(decideAccess({ openOnLoopback: false, ...access }, 'GET', headers, address)).toMatchObject({ status });
  });

  test.each(['Bearer', 'bearer', 'BEARER'])('the token grants access to anybody: %s', (scheme) => {
    const headers = { host: 'app.example.com', authorization: `${scheme} ${TOKEN}` };
    expect(decideAccess({ openOnLoopback: false, token: TOKEN }, 'POST', headers, '10.0.0.1')).toBe('token');
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
    expect(decideAccess(DEV, 'GET', { host }, address)).toBe('local');
    const page = { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin', 'x-motia-request': '1' };
    expect(decideAccess(DEV, 'DELETE', page, address)).toBe('local');
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
    for (const method of ['GET', 'POST']) {
      const told = { ...headers, 'content-type': 'application/json', 'x-motia-request': '1' };
      expect(decideAccess(DEV, method, told, address)).toMatchObject({ status: 403 });
      expect(decideAccess({ ...DEV, token: TOKEN }, method, told, address)).toMatchObject({ status: 401 });
      const withToken = { ...headers, authorization: `Bearer ${TOKEN}` };
      expect(decideAccess({ ...DEV, token: TOKEN }, method, withToken, address)).toBe('token');
    }
  });

  test.each([
    ['says nothing of itself', {}],
    ['is a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['is a form with files', { 'content-type': 'multipart/form-data; boundary=application/json' }],
    ['is a form of text', { 'content-type': 'text/plain; charset=application/json' }],
    ['only looks like JSON', { 'content-type': 'application/jsonp' }],
  ])('a change is refused that %s', (_, headers) => {
    for (const method of ['POST', 'PUT', 'DELETE']) {
      expect(decideAccess(DEV, method, { ...LOCAL, ...headers }, '127.0.0.1')).toMatchObject({ status: 403 });
      const told = { ...LOCAL, ...headers, 'x-motia-request': '1' };
      expect(decideAccess(DEV, method, told, '127.0.0.1')).toBe('local');
    }
    expect(decideAccess(DEV, 'GET', { ...LOCAL, ...headers }, '127.0.0.1')).toBe('local');
    const json = { ...LOCAL, 'content-type': 'application/json; charset=utf-8' };
    expect(decideAccess(DEV, 'POST', json, '127.0.0.1')).toBe('local');
  });
});
