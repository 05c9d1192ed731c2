/** `motia/testing/mocks`: what tests of a handler alone need. It starts nothing. */
export { type ContextOf, createMockContext, type MockContext, type MockContextOptions } from './mock-context.ts';
export { createMockFunction, type MockFunction } from './mock-function.ts';
export { createMockLogger, type MockLogger } from './mock-logger.ts';
