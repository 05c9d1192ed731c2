// Adds jobs to a BullMQ queue. argv: folder with BullMQ, port of Redis.
import { addJobs } from '../lib/add-jobs.mjs';
import { connectionTo, JOB_OPTIONS, loadBullmq, QUEUE } from './bullmq.mjs';

const [, , folder, port] = process.argv;
const { Queue } = loadBullmq(folder);
const queue = new Queue(QUEUE, { connection: connectionTo(port), defaultJobOptions: JOB_OPTIONS });
await queue.waitUntilReady();

process.on('disconnect', () => process.exit());
process.on('message', async (order) => process.send(await addJobs(order, (job) => queue.add('job', job))));
process.send('ready');
