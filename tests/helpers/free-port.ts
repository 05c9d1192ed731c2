/** A port for programs that cannot say which one they have taken. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the ports that systems give to connections and to who asks for any (Linux from 32768, macOS from 49152). */
const [LOWEST, HIGHEST] = [10_000, 32_767];

/**
 * A loopback port that nobody listens on. It may be used much later, when a proxy has to know it before its server is
 * there: neither a connection nor a server at port 0 gets it meanwhile, since it is none of theirs.
 */
export async function freePort(): Promise<number> {
  const port = randomInt(LOWEST, HIGHEST + 1);
  return (await isFree(port)) ? port : freePort();
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    );
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
