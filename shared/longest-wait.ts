/** Longest that an event may be told to wait, before its first attempt or between two. 31 days, in seconds. */
export const LONGEST_WAIT_S = 31 * 24 * 3600;
