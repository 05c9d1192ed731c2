// Stands in for an OpenTelemetry collector, in a process of its own: takes every trace export and counts its spans.
// argv: port. Answers each message with the count so far.
import http from 'node:http';

let spans = 0;

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    spans += countOf(Buffer.concat(chunks), '"spanId"');
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
});

function countOf(bytes, word) {
  let count = 0;
  for (let at = bytes.indexOf(word); at >= 0; at = bytes.indexOf(word, at + word.length)) count++;
  return count;
}

server.listen(Number(process.argv[2]), '127.0.0.1', () => process.send('ready'));
process.on('message', () => process.send({ spans }));
process.on('disconnect', () => process.exit());
