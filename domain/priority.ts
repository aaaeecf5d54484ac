/** How urgent a migration is beside the others of a host: words, as storage arrays have them, since only the order counts. */
export const PRIORITIES = ['low', 'normal', 'high'] as const;
export type Priority = (typeof PRIORITIES)[number];
export const DEFAULT_PRIORITY: Priority = 'normal';
