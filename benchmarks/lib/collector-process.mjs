// Stands in for an OpenTelemetry collector, in a process of its own: takes every trace export and counts its spans.
// argv: port. Answers each message with the count so far.
import http from 'node:http';

let spans = 0;

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    spans += countSpans(Buffer.concat(chunks));
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  });
});

/** Where the spans are in an export request: `resource_spans.scope_spans.spans`, by their protobuf field numbers. */
const SPANS = [1, 2, 2];
const LENGTH_DELIMITED = 2;

/** Spans of a message, or of a message nested in it. All fields on the way there are length-delimited or skipped. */
function countSpans(bytes, depth = 0) {
  if (depth === SPANS.length) return 1;
  let count = 0;
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at++];
    if ((tag & 7) !== LENGTH_DELIMITED) throw new Error(`field ${tag >> 3} of an export request is not expected`);
    let length = 0;
    for (let shift = 0, byte = 0x80; byte & 0x80; shift += 7) {
      byte = bytes[at++];
      length += (byte & 0x7f) << shift;
    }
    if (tag >> 3 === SPANS[depth]) count += countSpans(bytes.subarray(at, at + length), depth + 1);
    at += length;
  }
  return count;
}

server.listen(Number(process.argv[2]), '127.0.0.1', () => process.send('ready'));
process.on('message', () => process.send({ spans }));
process.on('disconnect', () => process.exit());
