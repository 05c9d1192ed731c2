/** What the id of a trace looks like. */
export const TRACE_ID = /^[0-9a-f]{32}$/;
