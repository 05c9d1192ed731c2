/** Names of groups and keys as they are shown: any text is one, even none. Pure. */
export const nameText = (name: string): string => (name.trim() === '' ? JSON.stringify(name) : name);
