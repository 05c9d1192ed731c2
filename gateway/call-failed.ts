/** A call that got no answer from its step, and what the client is told instead. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
  /** 400, 409 or 422 for an `Idempotency-Key` that cannot be used, 500 its run was cut off, 502 outcome unknown, 503 it never started, 504 it started and took too long. */
  readonly status: number;
  /** Where to find the reason in the log. */
  readonly errorId: string | undefined;

  constructor(status: number, message: string, errorId?: string) {
    super(message);
    this.status = status;
    this.errorId = errorId;
  }
}
