/** Functions that record their calls, in the form that the `expect` of Vitest and of Jest reads, without either of them. */

export type AnyFunction = (...args: never[]) => unknown;

export interface MockResult {
  type: 'return' | 'throw' | 'incomplete';
  value: unknown;
}

/** A function that remembers how it was called. */
export type MockFunction<F extends AnyFunction = AnyFunction> = F & {
  readonly mock: {
    /** The arguments of each call. */
    calls: Parameters<F>[];
    results: MockResult[];
    lastCall: Parameters<F> | undefined;
    /** Numbers that order the calls of all mocks. */
    invocationCallOrder: number[];
    /** `this` of each call. */
    contexts: unknown[];
    instances: unknown[];
  };
  /** What it does from now on. */
  mockImplementation(implementation: F): MockFunction<F>;
  /** What it does at the next call only. */
  mockImplementationOnce(implementation: F): MockFunction<F>;
  mockReturnValue(value: ReturnType<F>): MockFunction<F>;
  mockResolvedValue(value: Awaited<ReturnType<F>>): MockFunction<F>;
  mockResolvedValueOnce(value: Awaited<ReturnType<F>>): MockFunction<F>;
  mockRejectedValue(error: unknown): MockFunction<F>;
  mockRejectedValueOnce(error: unknown): MockFunction<F>;
  /** Forgets the calls. */
  mockClear(): MockFunction<F>;
  /** Forgets the calls, and does what it did at first. */
  mockReset(): MockFunction<F>;
  getMockName(): string;
  readonly _isMockFunction: true;
};

let calledBefore = 0;

/** Makes one. @param name how `expect` calls it. */
export function createMockFunction<F extends AnyFunction>(name: string, first: F): MockFunction<F> {
  let usual = first;
  const once: F[] = [];
  const state = {
    calls: [] as Parameters<F>[],
    results: [] as MockResult[],
    invocationCallOrder: [] as number[],
    contexts: [] as unknown[],
    instances: [] as unknown[],
    get lastCall() {
      return state.calls.at(-1);
    },
  };
  const mock = function (this: unknown, ...args: Parameters<F>): unknown {
    const result: MockResult = { type: 'incomplete', value: undefined };
    state.calls.push(args);
    state.results.push(result);
    state.contexts.push(this);
    state.instances.push(this);
    state.invocationCallOrder.push(++calledBefore);
    try {
      const value = (once.shift() ?? usual).apply(this, args);
      Object.assign(result, { type: 'return', value });
      return value;
    } catch (error) {
      Object.assign(result, { type: 'throw', value: error });
      throw error;
    }
  };
  const always = (implementation: AnyFunction) => {
    usual = implementation as F;
    return made;
  };
  const next = (implementation: AnyFunction) => {
    once.push(implementation as F);
    return made;
  };
  const clear = () => {
    for (const list of [state.calls, state.results, state.invocationCallOrder, state.contexts, state.instances])
      list.length = 0;
    return made;
  };
  const made: MockFunction<F> = Object.assign(mock, {
    mock: state,
    mockImplementation: always,
    mockImplementationOnce: next,
    mockReturnValue: (value: unknown) => always(() => value),
    mockResolvedValue: (value: unknown) => always(async () => value),
    mockResolvedValueOnce: (value: unknown) => next(async () => value),
    mockRejectedValue: (error: unknown) => always(() => Promise.reject(error)),
    mockRejectedValueOnce: (error: unknown) => next(() => Promise.reject(error)),
    mockClear: clear,
    mockReset: () => {
      once.length = 0;
      usual = first;
      return clear();
    },
    getMockName: () => name,
    _isMockFunction: true as const,
  }) as unknown as MockFunction<F>;
  return made;
}
