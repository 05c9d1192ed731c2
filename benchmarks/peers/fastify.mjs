// The limit of any HTTP benchmark on Node: fastify with the handlers inline. argv: port.
import Fastify from 'fastify';

const app = Fastify();
app.get('/hello', async () => ({ message: 'hello' }));
app.post('/order', async ({ body }) => ({ id: body.id, total: body.price * body.count }));

await app.listen({ port: Number(process.argv[2]), host: '127.0.0.1' });
process.on('disconnect', () => process.exit());
process.send('ready');
