/** zod in the form that takes the least to load and to make schemas with, since every process and thread of ours does: with its functions, without its methods. */
import { config } from 'zod/mini';
import en from 'zod/v4/locales/en.js';

config(en()); // this form has no messages of its own

export * from 'zod/mini';
// By its name: of `core` as a whole the build would keep all, with every language's messages.
export { $ZodError } from 'zod/v4/core';
