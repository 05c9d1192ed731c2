/** The refusal of a request that cannot be parsed. */

/** The message is written for the client: it never tells about the inside of the server. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
  /** 400 malformed, 413 larger than allowed, 415 in a form that is not understood. */
  readonly status: 400 | 413 | 415;

  constructor(status: 400 | 413 | 415, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}
