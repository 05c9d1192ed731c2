/** Where the gateway serves the page: every path of it begins with this. */
export const BASE = '/__motia/ui/';
