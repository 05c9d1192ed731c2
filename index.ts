/** The public door of the package. */
import type { MotiaConfig } from './shared/types.ts';

export { NonRetriableError, RetryAfterError, RevisionConflictError } from './shared/errors.ts';
export type * from './shared/types.ts';

/** Types a `motia.config.ts`. */
export const defineConfig = (config: MotiaConfig): MotiaConfig => config;

/** Older name of {@link defineConfig}. */
export const config = defineConfig;
