import pathToRegexp from 'path-to-regexp';
import { describe, expect, test } from 'vitest';
import { createRouter } from '../../../gateway/router.ts';
import { seeded } from '../worker/http/random.ts';

const route = (method: string, path: string) => ({ method, path });

/** The path of the route that serves the request, or what else the router answers. */
function served(routes: string[], request: string): unknown {
  const [method = '', path = ''] = request.split(' ');
  const match = createRouter(
    routes.map((text) => {
      const [method = '', path = ''] = text.split(' ');
      return route(method, path);
    }),
  ).match(method, path);
  return typeof match === 'object' && 'route' in match ? `${match.route.method} ${match.route.path}` : match;
}

function params(path: string, pathname: string): unknown {
  const match = createRouter([route('GET', path)]).match('GET', pathname);
  return typeof match === 'object' && 'route' in match ? match.params : match;
}

describe('paths', () => {
  test.each([
    ['/users', '/users', {}],
    ['/users', '/Users/', {}],
    ['/Users/', '/users', {}],
    ['/users', '/users//', undefined],
    ['/users', '/users/1', undefined],
    ['/', '/', {}],
    ['/a.b', '/a.b', {}],
    ['/a.b', '/axb', undefined],
    ['/users/:id', '/users/Ab', { id: 'Ab' }],
    ['/USERS/:id', '/users/1/', { id: '1' }],
    ['/users/:id', '/users/', undefined],
    ['/users/:id?', '/users', {}],
    ['/users/:id?', '/users/1', { id: '1' }],
    ['/:from-:to', '/a-b', { from: 'a', to: 'b' }],
    ['/:name.:ext', '/logo.png', { name: 'logo', ext: 'png' }],
    ['/n/:id(\\d+)', '/n/12', { id: '12' }],
    ['/n/:id(\\d+)', '/n/x', undefined],
    ['/(cats|dogs)/:id', '/dogs/1', { id: '1' }],
    ['/my(cats|dogs)/:id', '/mydogs/1', { 0: 'dogs', id: '1' }],
    ['/files/*', '/files/a/b.txt', { 0: 'a/b.txt' }],
    ['*', '/any/thing', { 0: '/any/thing' }],
    ['/x/:id', '/x/a%20b%2Fc%C3%A9', { id: 'a b/cé' }],
    ['/x/:id', '/x/a+b', { id: 'a+b' }],
    ['/x/:id', '/x/%', 'bad-encoding'],
    ['/x/:id', '/x/%ff', 'bad-encoding'],
    ['/x', '/%ff', undefined],
    ['/café', '/caf%C3%A9', {}],
    ['/café/:id', '/caf%c3%a9/1', { id: '1' }],
    ['/a b', '/a%20b', {}],
  ])('%s on %s', (path, pathname, expected) => {
    expect(params(path, pathname)).toEqual(expected);
  });

  test('a lone surrogate in a path does not stop the router', () => {
    expect(createRouter([route('GET', '/\ud800')]).match('GET', '/x')).toBeUndefined();
  });

  test('an invalid pattern is reported when the router is made', () => {
    expect(() => createRouter([route('GET', '/x/:id([)')])).toThrow(SyntaxError);
  });
});

describe('precedence', () => {
  const routes = ['GET *', 'GET /u/*', 'GET /:a/:b', 'GET /u/:id', 'GET /u/:id(\\d+)', 'GET /u/me', 'GET /:a/me'];

  test.each([
    ['GET /u/me', 'GET /u/me'],
    ['GET /u/1', 'GET /u/:id(\\d+)'],
    ['GET /u/x', 'GET /u/:id'],
    ['GET /u/x/y', 'GET /u/*'],
    ['GET /v/me', 'GET /:a/me'],
    ['GET /v/x', 'GET /:a/:b'],
    ['GET /', 'GET *'],
  ])('%s is served by %s', (request, expected) => {
    expect(served(routes, request)).toBe(expected);
    expect(served(routes.toReversed(), request)).toBe(expected);
  });

  test('the first of equals wins', () => {
    expect(served(['GET /x/:first', 'GET /x/:second'], 'GET /x/1')).toBe('GET /x/:first');
    expect(served(['GET /X', 'GET /x/'], 'GET /x')).toBe('GET /X');
  });

  test('a more specific path without the method yields to a less specific one with it', () => {
    const routes = ['GET /u/me', 'DELETE /u/:id', 'PUT *'];
    expect(served(routes, 'DELETE /u/me')).toBe('DELETE /u/:id');
    expect(served(routes, 'PUT /u/me')).toBe('PUT *');
    expect(served(routes, 'PATCH /u/me')).toEqual({ allow: ['GET', 'DELETE', 'PUT', 'HEAD', 'OPTIONS'] });
  });
});

describe('methods', () => {
  test('HEAD is served by GET unless it has a route of its own', () => {
    expect(served(['GET /x'], 'HEAD /x')).toBe('GET /x');
    expect(served(['GET /x', 'HEAD /x'], 'HEAD /x')).toBe('HEAD /x');
    expect(served(['GET /x/:id', 'HEAD /x/:id'], 'HEAD /x/1')).toBe('HEAD /x/:id');
    expect(served(['POST /x'], 'HEAD /x')).toEqual({ allow: ['POST', 'OPTIONS'] });
  });

  test('OPTIONS has no fallback', () => {
    expect(served(['GET /x'], 'OPTIONS /x')).toEqual({ allow: ['GET', 'HEAD', 'OPTIONS'] });
    expect(served(['GET /x', 'OPTIONS /x'], 'OPTIONS /x')).toBe('OPTIONS /x');
  });

  test('bad encoding does not hide that the method is missing', () => {
    expect(served(['GET /x/:id'], 'POST /x/%')).toEqual({ allow: ['GET', 'HEAD', 'OPTIONS'] });
  });
});

test.each([
  ['/*/x/*/y', '/x/'],
  ['/*/x/*/x/*/x/*/y', '/x/'],
  ['/:a*/:b*/:c*/y', '/x/'],
  ['/**', 'a\n'],
  ['/:a-:b-:c/y', '-'],
])('%s takes linear time', (path, unit) => {
  const router = createRouter([route('GET', path)]);
  const pathnames = [100, 500, 1000, 2000, 16_000].map((length) => `/${unit.repeat(length / unit.length)}!`);
  const start = performance.now();
  for (const pathname of pathnames) router.match('GET', pathname);
  expect(performance.now() - start).toBeLessThan(500);
});

test('matches what path-to-regexp matches, and never throws', () => {
  const parts = ['/', 'a', 'b', 'C', '/:id', '/:id?', ':x', '*', '.', '-', '/(a|b)', '(\\d+)'];
  const pathnameParts = ['/', 'a', 'B', 'c', '1', '.', '-', '%20', '%', '%C3%A9', '%ff'];
  for (let seed = 0; seed < 3000; seed++) {
    const random = seeded(seed);
    const paths = Array.from({ length: 1 + random.int(4) }, () => `/${random.text(parts, 5)}`);
    const compiled = paths.filter(isValid);
    const router = createRouter(compiled.map((path) => route('GET', path)));
    for (let round = 0; round < 5; round++) {
      const pathname = `/${random.text(pathnameParts, 8)}`;
      const match = router.match('GET', pathname);
      const expected = compiled.some((path) => pathToRegexp(path, []).test(pathname));
      expect(match !== undefined, `seed ${seed}: ${compiled} on ${pathname}`).toBe(expected);
      if (typeof match === 'object' && 'route' in match) {
        expect(pathToRegexp(match.route.path, []).test(pathname), `seed ${seed}`).toBe(true);
      }
    }
  }
});

function isValid(path: string): boolean {
  try {
    pathToRegexp(path, []);
    return true;
  } catch {
    return false;
  }
}
