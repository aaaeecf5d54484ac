// JSON values as the engine carries them: plain, immutable by convention, and below one size limit.

export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

/** The largest input, output or result of a state, in bytes of UTF-8 (Step Functions quota: 256 KiB). */
export const MAX_PAYLOAD_BYTES = 262_144;

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The JSON type of a value, in the words of an error message. */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

export function sizeBytes(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/**
 * A plain deep copy, free of the hidden properties that JSONata leaves on its sequences.
 * Returns undefined for undefined; members that are undefined are left out, as JSON does.
 * Throws TypeError for what JSON cannot carry (functions, NaN, Infinity).
 */
export function plainJson(value: unknown): Json | undefined {
  if (value === undefined || value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value;
    throw new TypeError(`${value} is not a JSON number`);
  }
  if (typeof value !== 'object' || '_jsonata_function' in value || '_jsonata_lambda' in value) {
    throw new TypeError('a function is not a JSON value');
  }
  if (Array.isArray(value)) return value.map((item) => plainJson(item) ?? null);
  const copy: [string, Json][] = [];
  for (const [key, member] of Object.entries(value)) {
    const plain = plainJson(member);
    if (plain !== undefined) copy.push([key, plain]);
  }
  return Object.fromEntries(copy);
}
