/** How groups of state are asked for. */

/** Groups that are read at once. */
export const GROUP_ROWS = 500;
