// Handles the jobs of a BullMQ queue. argv: folder with BullMQ, port of Redis, concurrency, file that the handled ids are appended to.
import fs from 'node:fs';
import { now } from '../lib/add-jobs.mjs';
import { connectionTo, loadBullmq, QUEUE } from './bullmq.mjs';

const [, , folder, port, concurrency, handledFile] = process.argv;
const { Worker } = loadBullmq(folder);
const handled = fs.openSync(handledFile, 'a');
const handle = async ({ data: { id, sentAt } }) => void fs.writeSync(handled, `${id} ${sentAt} ${now()}\n`);
const worker = new Worker(QUEUE, handle, { connection: connectionTo(port), concurrency: Number(concurrency) });
worker.on('error', (error) => console.error(error));
await worker.waitUntilReady();

process.on('disconnect', () => process.exit());
process.send('ready');
