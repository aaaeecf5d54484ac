/** The standard's date-times have no zone and six decimals; ours are ISO 8601 in UTC. */

export const standardTime = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, -1)}000`;

export const isoTime = (atMs: number): string => new Date(atMs).toISOString();
