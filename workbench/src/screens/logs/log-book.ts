/** The log as far as it is known here: pages of what was written, and what is added meanwhile, each record once. */
import type { Query } from '../../api/address.ts';
import { type ApiError, api } from '../../api/client.ts';
import { follow } from '../../api/follow.ts';
import type { LogPage, LogRecord } from '../../api/types.ts';
import { type LogEntry, toEntries, withoutKnown } from './log-entry.ts';
import { overlapOf } from './overlap.ts';
import { PAGE } from './query.ts';

/** What there is to show. */
export interface LogView {
  /** The newest first. */
  entries: readonly LogEntry[];
  /** Records that have come and are held back. */
  held: number;
  isLoading: boolean;
  error?: ApiError | undefined;
  hasMore: boolean;
  isLoadingMore: boolean;
  /** Up to when it was looked through, when nothing was found so far. */
  searchedTo?: string | undefined;
  /** Old records were left out, since there are too many. */
  isCut: boolean;
  /** New ones are told as they come. */
  isLive: boolean;
  /** Why they are not. */
  liveError?: string | undefined;
}

/** More than anybody scrolls through. */
const MOST = 50_000;
/** How often the list is drawn anew while much is logged. */
const FLUSH_MS = 300;
/** After a longer absence the log begins anew, instead of being made up for. */
const LONG_ABSENCE_MS = 60_000;

export class LogBook {
  readonly #query: Query;
  readonly #follows: boolean;
  readonly #listeners = new Set<() => void>();
  readonly #taken = new Set<string>();
  #view: LogView = START;
  #next: string | undefined;
  #isHeld = false;
  #held: LogRecord[] = [];
  #incoming: LogRecord[] = [];
  #flush: ReturnType<typeof setTimeout> | undefined;
  #known = new Map<string, number>();
  #ended = new AbortController();
  #stopFollowing: (() => void) | undefined;
  #stoppedAt = 0;

  /** @param query filters, as the admin API has them. @param follows whether new records are told as they come. */
  constructor(query: Query, follows: boolean) {
    this.#query = query;
    this.#follows = follows;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly view = (): LogView => this.#view;

  /** Begins, or goes on after {@link stop}. */
  start(): void {
    this.#ended = new AbortController();
    const isFresh = !this.#view.isLoading && Date.now() - this.#stoppedAt < LONG_ABSENCE_MS;
    if (isFresh) this.#follow();
    else void this.restart();
  }

  /** Asks and follows no more. */
  stop(): void {
    this.#stoppedAt = Date.now();
    this.#ended.abort();
    this.#stopFollowing?.();
    this.#stopFollowing = undefined;
  }

  /** Forgets everything and reads the newest page. */
  readonly restart = async (): Promise<void> => {
    this.#stopFollowing?.();
    this.#taken.clear();
    [this.#held, this.#incoming] = [[], []];
    this.#set({ ...START, entries: this.#view.entries });
    if (!(await this.#read(undefined))) return;
    this.#follow();
  };

  readonly loadMore = (): void => {
    if (this.#next === undefined || this.#view.isLoadingMore || this.#view.isLoading) return;
    this.#set({ isLoadingMore: true });
    void this.#read(this.#next);
  };

  /** Holds back what comes, so that rows stay where they are; or shows all that was held back. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (!isHeld && this.#held.length > 0) this.#add(this.#held.splice(0));
  }

  /** @returns whether it was read. */
  async #read(cursor: string | undefined): Promise<boolean> {
    const { signal } = this.#ended;
    try {
      const page = await api<LogPage>('/logs', { query: { ...this.#query, limit: PAGE, cursor }, signal });
      const before = cursor === undefined ? [] : this.#view.entries;
      this.#next = page.next;
      this.#set({
        entries: [...before, ...toEntries(page.logs, this.#taken)],
        isLoading: false,
        isLoadingMore: false,
        error: undefined,
        hasMore: page.next !== undefined,
        searchedTo: page.searchedTo,
      });
      return true;
    } catch (error) {
      if (!signal.aborted) this.#set({ isLoading: false, isLoadingMore: false, error: error as ApiError });
      return false;
    }
  }

  #follow(): void {
    if (!this.#follows) return;
    this.#stopFollowing?.();
    this.#stopFollowing = follow<LogRecord>('/logs/follow', {
      query: () => {
        const unshown = [...this.#held, ...this.#incoming];
        const { since, known } = overlapOf(this.#view.entries, unshown, this.#view.hasMore);
        this.#known = known;
        return { ...this.#query, since };
      },
      onMessage: (record) => {
        this.#incoming.push(record);
        this.#flush ??= setTimeout(() => this.#take(), FLUSH_MS);
      },
      onState: (isLive, error) => this.#set({ isLive, liveError: error?.message }),
    });
  }

  #take(): void {
    this.#flush = undefined;
    const records = withoutKnown(this.#incoming.splice(0), this.#known);
    if (records.length === 0) return;
    if (!this.#isHeld) {
      this.#add(records);
      return;
    }
    this.#held.push(...records);
    if (this.#held.length > MOST) this.#held.splice(0, this.#held.length - MOST);
    this.#set({ held: this.#held.length });
  }

  #add(records: LogRecord[]): void {
    const added = toEntries(records.sort(byTime).reverse(), this.#taken);
    const entries = [...added, ...this.#view.entries];
    const isCut = entries.length > MOST;
    for (const { key } of isCut ? entries.splice(MOST) : []) this.#taken.delete(key);
    if (isCut) this.#next = undefined;
    this.#set({ entries, held: this.#held.length, ...(isCut && { isCut, hasMore: false }) });
  }

  #set(changes: Partial<LogView>): void {
    this.#view = { ...this.#view, ...changes };
    for (const listener of this.#listeners) listener();
  }
}

const byTime = (a: LogRecord, b: LogRecord) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0);

const START: LogView = {
  entries: [],
  held: 0,
  isLoading: true,
  hasMore: false,
  isLoadingMore: false,
  isCut: false,
  isLive: false,
};
