/** Spans that wait for their export. It goes batch by batch: when there are enough for one, or when they have waited for long enough. */
import type { EncodedSpans } from './span-encoding.ts';

export interface ExportQueueOptions {
  /** Never rejects. */
  exportBatch: (batch: EncodedSpans[]) => Promise<void>;
  /** Spans of a batch at most. */
  exportedTogether: number;
  exportAfterMs: number;
}

export class ExportQueue {
  readonly #options: ExportQueueOptions;
  readonly #waiting: EncodedSpans[] = [];
  #count = 0;
  #timer: NodeJS.Timeout | undefined;
  #exporting: Promise<void> | undefined;

  constructor(options: ExportQueueOptions) {
    this.#options = options;
  }

  /** @param spans not more than go together. */
  add(spans: EncodedSpans): void {
    this.#waiting.push(spans);
    this.#count += spans.count;
    if (this.#exporting) return;
    if (this.#count >= this.#options.exportedTogether) this.#export();
    else this.#exportLater();
  }

  /** Exports what is left. */
  async close(): Promise<void> {
    await this.#exporting;
    clearTimeout(this.#timer);
    while (this.#count > 0) await this.#exportBatch();
  }

  #exportLater(): void {
    this.#timer ??= setTimeout(() => this.#export(), this.#options.exportAfterMs).unref();
  }

  #export(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#exporting = this.#exportBatches();
  }

  /** Until there are no more than may wait for others. */
  async #exportBatches(): Promise<void> {
    do await this.#exportBatch();
    while (this.#count >= this.#options.exportedTogether);
    this.#exporting = undefined;
    if (this.#count > 0) this.#exportLater();
  }

  async #exportBatch(): Promise<void> {
    let [taken, count] = [0, 0];
    for (const spans of this.#waiting) {
      if (count > 0 && count + spans.count > this.#options.exportedTogether) break;
      taken++;
      count += spans.count;
    }
    this.#count -= count;
    await this.#options.exportBatch(this.#waiting.splice(0, taken));
  }
}
