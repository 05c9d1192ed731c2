/** Made for 0.5: an image of several 100 kB in a JSON body, resized by three subscribers of one event. */
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { expect } from 'vitest';
import { call, corpusTest } from './corpus.ts';

/** The project imports these at the top of a file, and uses them only with another storage than the local one. */
const installed = {
  '@aws-sdk/client-s3/index.js': 'exports.S3Client = exports.HeadObjectCommand = exports.GetObjectCommand = class {};',
  '@aws-sdk/lib-storage/index.js': 'exports.Upload = class {};',
  '@aws-sdk/s3-request-presigner/index.js': 'exports.getSignedUrl = () => {};',
};
const WIDTHS = { desktop: 1920, mobile: 720, lowquality: 480 };

corpusTest(
  'image-resizer',
  { packages: { zod: 'zod3', sharp: 'sharp' }, installed, env: { STORAGE_TYPE: 'local' }, writes: ['output'] },
  async ({ cli, project }) => {
    const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
    const image = await sharp({ create: { width: 2400, height: 1200, channels: 3, background: 'white', noise } })
      .jpeg({ quality: 40 })
      .toBuffer();
    const data = image.toString('base64');
    expect(data.length).toBeGreaterThan(300_000);

    const { status, body } = await call(cli, 'POST', '/upload-image', {
      filename: 'wide photo.jpg',
      data: `data:image/jpeg;base64,${data}`,
    });
    expect({ status, body }).toMatchObject({
      status: 200,
      body: {
        message: 'Image uploaded successfully and processing started',
        imageMetadata: { originalFilename: 'wide photo.jpg', format: 'jpeg' },
      },
    });
    const { traceId, imageMetadata } = body;
    expect(await readFile(project.path(`output/${imageMetadata.originalStorageKey}`))).toEqual(image);

    const name = imageMetadata.uniqueFilename.replace('.jpg', '');
    for (const [type, width] of Object.entries(WIDTHS)) {
      const tracked = await cli.waitForLog(
        {
          traceId,
          step: 'CompletionTracker',
          msg: 'Completion Tracker Step – Processing resize completion',
          resizeType: type,
        },
        20_000,
      );
      expect(tracked).toMatchObject({ originalFilename: 'wide photo.jpg' });
      const resized = await sharp(project.path(`output/${type}/${name}-${type}.jpg`)).metadata();
      expect({ format: resized.format, width: resized.width, height: resized.height }).toEqual({
        format: 'jpeg',
        width,
        height: width / 2,
      });
    }
    expect(cli.logs({ traceId, msg: 'Completion Tracker Step – Updated processing status' })).toHaveLength(3);

    expect((await call(cli, 'POST', '/upload-image', { filename: 'x.gif', data: 'AAAA' })).body.error).toBe(
      'Invalid image format',
    );
  },
);
