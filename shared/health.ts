/** Whether a process can do its work, and whether it would help to start it anew. */

/** @returns what is wrong, for a person to read and without anything secret; `undefined` if nothing is. */
export type Check = () => string | undefined;

export interface HealthReport {
  ok: boolean;
  reasons: string[];
}

export class Health {
  readonly #ready: Check[] = [];
  readonly #live: Check[] = [];
  #draining = false;

  /** Adds what must hold for the process to be given work. */
  readyIf(check: Check): void {
    this.#ready.push(check);
  }

  /** Adds what, if it does not hold, only a new process can mend. */
  liveIf(check: Check): void {
    this.#live.push(check);
  }

  /** It is to end: from now on it is not ready, and nothing that breaks on the way is a reason to end it sooner. */
  drain(): void {
    this.#draining = true;
  }

  get draining(): boolean {
    return this.#draining;
  }

  ready(): HealthReport {
    return this.#draining ? { ok: false, reasons: ['it is shutting down'] } : report([...this.#live, ...this.#ready]);
  }

  live(): HealthReport {
    return this.#draining ? { ok: true, reasons: [] } : report(this.#live);
  }
}

function report(checks: readonly Check[]): HealthReport {
  const reasons = checks.map((check) => check()).filter((reason) => reason !== undefined);
  return { ok: reasons.length === 0, reasons };
}
