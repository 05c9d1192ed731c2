/** An error of somebody's code, as far as it is known. */
export interface ShownError {
  name?: string;
  message?: string;
  stack?: string;
}
