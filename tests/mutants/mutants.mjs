// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts of sources
/**
 * For each guarantee the one change that switches its mechanism off, and the test that must notice.
 *
 * @typedef {object} Mutant
 * @property {string} guarantee What does not hold any more.
 * @property {string} file The source that is changed.
 * @property {string} from Text that is there exactly once.
 * @property {string} to What it becomes.
 * @property {string} test File of the test that must turn red.
 * @property {string} [name] The test in that file, as vitest's `-t` takes it. Without one: all of them.
 * @property {boolean} [quick] Takes a few seconds: part of the short form.
 */

const UNIT = 'tests/unit';
const BROKER = 'tests/integration/broker';
const FAILURES = 'tests/acceptance/failures';
const PYTHON = 'tests/acceptance/conformance/python.test.ts';

/** @type {Mutant[]} */
export const MUTANTS = [
  // Events: taken, done, retried, dead.
  {
    guarantee: 'an event is acked after its run, not before',
    file: 'worker/event-consumer.ts',
    from: 'held.job = job;',
    to: 'held.job = job; held.delivery.ack();',
    test: `${FAILURES}/workers.test.ts`,
    name: '200 events in flight',
  },
  {
    guarantee: 'an event that is worked on for long is not handed to another worker',
    file: 'worker/event-consumer.ts',
    from: 'held.delivery.working().then(',
    to: 'Promise.resolve().then(',
    test: `${FAILURES}/workers.test.ts`,
    name: 'left in peace',
  },
  {
    guarantee: 'a run whose event may be with another worker is refused what it does',
    file: 'worker/handler/active-run.ts',
    from: '!this.#slots.leased(this.slot, Date.now())',
    to: 'false',
    test: `${FAILURES}/workers.test.ts`,
    name: 'SIGSTOP',
  },
  {
    guarantee: 'a run that was refused does not decide about its event',
    file: 'worker/event-consumer.ts',
    from: "return isOurs && end.error.code !== 'RUN_OVER' ? end : { status: 'lost' };",
    to: 'return end;',
    test: `${FAILURES}/workers.test.ts`,
    name: 'SIGSTOP',
  },
  {
    guarantee: 'what was handed to a frozen process is left to others',
    file: 'shared/broker/pull-consumer.ts',
    from: 'if (this.#broker.mayBeStale()) return;',
    to: '',
    test: `${FAILURES}/workers.test.ts`,
    name: 'SIGSTOP',
  },
  {
    guarantee: 'a worker takes no more than it has room for',
    file: 'shared/broker/pull-consumer.ts',
    from: 'Math.min(room - this.#asked, LARGEST_BATCH)',
    to: 'LARGEST_BATCH',
    test: `${BROKER}/pull-consumer.test.ts`,
    name: 'no more than there is room for',
    quick: true,
  },
  {
    guarantee: 'room that became free bit by bit is used',
    file: 'shared/broker/pull-consumer.ts',
    from: 'if (this.#asked === 0) this.pull();',
    to: '',
    test: `${BROKER}/pull-consumer.test.ts`,
    name: 'bit by bit',
    quick: true,
  },
  {
    guarantee: 'what arrives at a worker that stops is handed back',
    file: 'shared/broker/pull-consumer.ts',
    from: 'delivery.handBack();',
    to: '',
    test: `${BROKER}/pull-consumer.test.ts`,
    name: 'after the stop',
    quick: true,
  },
  {
    guarantee: 'a failed event is tried four times, with growing waits',
    file: 'worker/outcome.ts',
    from: 'backoff.factor ** (attempt - 1)',
    to: '1',
    test: `${UNIT}/worker/outcome.test.ts`,
    quick: true,
  },
  {
    guarantee: 'a retry counts as the next attempt',
    file: 'shared/broker/events.ts',
    from: 'toEventHeaders({ ...event, attempt: event.attempt + 1 })',
    to: 'toEventHeaders(event)',
    test: `${BROKER}/events.test.ts`,
    name: 'a retry arrives once',
    quick: true,
  },
  {
    guarantee: 'a retry that is scheduled twice comes once',
    file: 'shared/broker/events.ts',
    from: 'const id = `${event.id}:${event.attempt + 1}`;',
    to: 'const id = `${event.id}:${event.attempt + 1}:${Math.random()}`;',
    test: `${BROKER}/events.test.ts`,
    name: 'a retry arrives once',
    quick: true,
  },
  {
    guarantee: 'a NonRetriableError is not tried again',
    file: 'worker/outcome.ts',
    from: 'end.error.nonRetriable === true || ',
    to: '',
    test: `${UNIT}/worker/outcome.test.ts`,
    quick: true,
  },
  {
    guarantee: 'a dead letter is stored before its event is acked',
    file: 'worker/event-consumer.ts',
    from: "} else if (outcome.action === 'bury') {",
    to: "} else if (outcome.action === ('never' as string)) {",
    test: `${FAILURES}/events.test.ts`,
    name: 'four attempts',
  },
  {
    guarantee: 'what a run emits again is stored once',
    file: 'worker/handler/active-run.ts',
    from: 'const identity = `${this.messageId}',
    to: 'const identity = `${Math.random()}',
    test: `${FAILURES}/events.test.ts`,
    name: 'stored once',
  },
  {
    guarantee: 'emits that nobody awaits are stored before the answer',
    file: 'worker/handler/run-api.ts',
    from: 'if (run.hasOpenEmits) await run.settleEmits();',
    to: '',
    test: `${FAILURES}/events.test.ts`,
    name: 'nobody awaits',
  },
  {
    guarantee: 'an undeclared topic is not sent to',
    file: 'worker/handler/context.ts',
    from: 'entry.emits.length > 0 && ',
    to: 'entry.emits.length > 1e9 && ',
    test: `${FAILURES}/events.test.ts`,
    name: 'nobody awaits',
  },

  // API calls.
  {
    guarantee: 'an unsafe call is acked before it begins',
    file: 'worker/request-consumer.ts',
    from: 'if (!call.safe) call.delivery.ack();',
    to: '',
    test: `${FAILURES}/workers.test.ts`,
    name: 'in the middle of API calls',
  },
  {
    guarantee: 'a safe call of a lost worker is answered by another',
    file: 'worker/request-consumer.ts',
    from: 'if (!call.safe) call.delivery.ack();',
    to: 'call.delivery.ack();',
    test: `${FAILURES}/workers.test.ts`,
    name: 'in the middle of API calls',
  },
  {
    guarantee: 'a caller hears of a lost worker within seconds',
    file: 'gateway/step-calls.ts',
    from: 'now - heardAt > LOST_AFTER_MS',
    to: 'false',
    test: `${FAILURES}/workers.test.ts`,
    name: 'in the middle of API calls',
  },
  {
    guarantee: 'an unsafe call that a worker had taken, and said nothing of, is not said to have waited',
    file: 'gateway/step-calls.ts',
    from: 'if (waits === false) {',
    to: 'if (false) {',
    test: `${FAILURES}/workers.test.ts`,
    name: 'said a word',
  },
  {
    guarantee: 'an unsafe call is told at once that the broker is gone',
    file: 'gateway/step-calls.ts',
    from: "else if (call.sent) this.#fail(token, new CallFailed(502, 'The outcome of this call is unknown'));",
    to: '',
    test: `${FAILURES}/broker.test.ts`,
    name: 'calls under way',
  },
  {
    guarantee: 'a safe call is sent again when the broker is back',
    file: 'gateway/step-calls.ts',
    from: 'if (!call.sent) this.#send(token, call);',
    to: '',
    test: `${FAILURES}/broker.test.ts`,
    name: 'calls under way',
  },
  {
    guarantee: 'a handler hears that its caller is gone',
    file: 'gateway/step-calls.ts',
    from: 'this.#broker.send(this.#names.cancel, call.meta.id);',
    to: '',
    test: `${FAILURES}/neighbours.test.ts`,
    name: 'goes away',
  },
  {
    guarantee: 'a body above the limit is refused',
    file: 'gateway/read-body.ts',
    from: 'if (size <= limit) {',
    to: 'if (size <= limit * 1e9) {',
    test: 'tests/acceptance/http/sizes.test.ts',
    name: 'one byte more',
  },

  // Handlers that misbehave.
  {
    guarantee: 'runs behind a computing handler go to another thread',
    file: 'worker/threads/thread-pool.ts',
    from: `        silent++;
        for (const job of thread.withdrawUnstarted()) this.dispatch(job);`,
    to: '        silent++;',
    test: `${FAILURES}/neighbours.test.ts`,
    name: 'compute for',
  },
  {
    guarantee: 'another thread starts while all compute',
    file: 'worker/threads/thread-pool.ts',
    from: 'if (silent > 0 && this.#bundle',
    to: 'if (silent > 1e9 && this.#bundle',
    test: `${FAILURES}/neighbours.test.ts`,
    name: 'compute for',
  },
  {
    guarantee: 'a thread that is blocked for too long is ended',
    file: 'worker/threads/thread-pool.ts',
    from: 'if (silence > this.blockedTimeoutMs)',
    to: 'if (silence > this.blockedTimeoutMs * 1e9)',
    test: `${FAILURES}/neighbours.test.ts`,
    name: 'for ever',
  },
  {
    guarantee: 'the handler timeout ends a run',
    file: 'worker/event-consumer.ts',
    from: 'if (this.#timeoutMs !== undefined) this.#limitTime(held, this.#timeoutMs, this.#timeoutMs);',
    to: '',
    test: `${FAILURES}/neighbours.test.ts`,
    name: 'handler timeout',
  },
  {
    guarantee: 'an error that nobody awaits fails its run',
    file: 'worker/handler/guards.ts',
    from: `      failRun(run, error);
      return;`,
    to: '      return;',
    test: `${FAILURES}/neighbours.test.ts`,
    name: 'timer',
  },

  // The broker: what is acknowledged stays.
  {
    guarantee: 'a full stream refuses instead of dropping what it acknowledged',
    file: 'shared/broker/topology.ts',
    from: `    retention: RetentionPolicy.Interest,
    storage: StorageType.File,
    discard: DiscardPolicy.New,`,
    to: `    retention: RetentionPolicy.Interest,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,`,
    test: `${BROKER}/publish.test.ts`,
    name: 'full',
    quick: true,
  },
  {
    guarantee: 'a broker that is away for a moment is waited for',
    file: 'shared/broker/retry.ts',
    from: '(isTransient(error) ? tryAgain(broker, forMs, attempt) : Promise.reject(error))',
    to: 'Promise.reject(error)',
    test: `${BROKER}/state.test.ts`,
    name: 'moment',
    quick: true,
  },
  {
    guarantee: 'what waits for an answer hears that the connection dropped',
    file: 'shared/broker/connect.ts',
    from: "mux.rejectAll('the connection to the broker dropped');",
    to: '',
    test: `${BROKER}/connect.test.ts`,
    name: 'told at once',
    quick: true,
  },
  {
    guarantee: 'memory streams and their consumers are made again after a crash',
    file: 'worker/step-worker.ts',
    from: 'recover(): void {',
    to: 'recover(): void {\n    return;',
    test: `${FAILURES}/broker.test.ts`,
    name: 'three crashes',
  },
  {
    guarantee: 'the streams of somebody else are left alone',
    file: 'shared/broker/topology.ts',
    from: "if (config.metadata?.['motia.app'] !== names.app)",
    to: 'if (false)',
    test: `${BROKER}/topology.test.ts`,
    name: 'somebody else',
    quick: true,
  },
  {
    guarantee: 'large groups are read whole',
    file: 'shared/broker/key-value.ts',
    from: 'const TOO_MANY = 413;',
    to: 'const TOO_MANY = 404; const NEVER = 413;',
    test: `${BROKER}/state.test.ts`,
    name: '3,500 keys',
    quick: true,
  },
  {
    guarantee: 'subscriptions are there before gateways learn of their steps',
    file: 'shared/broker/provision.ts',
    from: 'await ensureSources(broker, names, manifest);',
    to: '',
    test: `${BROKER}/manifest.test.ts`,
    name: 'before it is published',
    quick: true,
  },
  {
    guarantee: 'odd names are told apart',
    file: 'shared/protocol/encoding.ts',
    from: "if (name === '') return '=';",
    to: "if (name === '') return '_';",
    test: `${UNIT}/protocol/encoding.test.ts`,
    quick: true,
  },

  // Reloads.
  {
    guarantee: 'the last good version is served while a step is broken',
    file: 'worker/project-versions.ts',
    from: 'if (broken.length > 0) return false;',
    to: '',
    test: `${FAILURES}/hot-reload.test.ts`,
    name: '50 edits',
  },
  {
    guarantee: 'a second save right after the first is served',
    file: 'shared/watch-files.ts',
    from: 'if (Date.now() - toldAt <= DROPS_FOR_MS) reloadSoon();',
    to: '',
    test: `${FAILURES}/hot-reload.test.ts`,
    name: '50 edits',
  },
  {
    guarantee: 'calls of a step that was just removed are answered',
    file: 'worker/step-worker.ts',
    from: 'else setTimeout(() => consumer.puller.stop(), CALLS_COME_FOR_MS).unref();',
    to: 'else consumer.puller.stop();',
    test: `${FAILURES}/hot-reload.test.ts`,
    name: 'removed',
  },

  // The Python worker, by the table that both workers are held to.
  {
    guarantee: 'Python: an unsafe call is acked before it begins',
    file: 'python-worker/motia/worker/request_consumer.py',
    from: `        if not call.safe:
            call.delivery.ack()`,
    to: '',
    test: PYTHON,
    name: 'in the middle of calls',
  },
  {
    guarantee: 'Python: what a computing process has not started goes to another',
    file: 'python-worker/motia/worker/processes/pool.py',
    from: `            if process.state is State.SILENT:
                for job in process.withdraw_unstarted():`,
    to: `            if False:
                for job in process.withdraw_unstarted():`,
    test: PYTHON,
    name: 'a handler that computes for 2 s',
  },
  {
    guarantee: 'Python: the end of a process costs its guilty run an attempt, and no other',
    file: 'python-worker/motia/worker/processes/handler_process.py',
    from: 'if slot == guilty or',
    to: 'if True or',
    test: PYTHON,
    name: 'an event whose handler ends its process',
  },
  {
    guarantee: 'Python: a failed event is tried again',
    file: 'python-worker/motia/worker/outcome.py',
    from: 'attempt >= policy.max_attempts',
    to: 'True',
    test: PYTHON,
    name: 'has four attempts',
  },
  {
    guarantee: 'Python: what a run emits again has the same id',
    file: 'python-worker/motia/handler/active_run.py',
    from: 'event_content_id(self.message_id,',
    to: 'event_content_id(self.message_id + str(self.attempt),',
    test: PYTHON,
    name: 'what a run emits again',
  },
  {
    guarantee: 'Python: a run that was given up is refused what it wants to do',
    file: 'python-worker/motia/handler/active_run.py',
    from: 'if self._fenced is not None:',
    to: 'if False:',
    test: PYTHON,
    name: 'what it does later is refused',
  },
];
