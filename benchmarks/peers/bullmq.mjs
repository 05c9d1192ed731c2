// What both sides of the BullMQ peer share. The packages are in a folder of their own.
import { createRequire } from 'node:module';
import path from 'node:path';

export const QUEUE = 'jobs';

/** @param {string} folder with BullMQ in its `node_modules` */
export const loadBullmq = (folder) => createRequire(path.join(folder, 'package.json'))('bullmq');

/** @param {string} port */
export const connectionTo = (port) => ({ host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null });

/** The attempts and the backoff that our steps have by default. What is done goes, as with us. */
export const JOB_OPTIONS = { attempts: 4, backoff: { type: 'exponential', delay: 1000 }, removeOnComplete: true };
