import { readFileSync } from 'node:fs';

/** What our processes print when they end, as one line of JSON. */
export interface Outcome {
  /** One for each volume; of what was copied, or of what was read back. Null where none was made. */
  readonly digests: readonly (string | null)[];
  readonly bytesWritten: number;
  readonly peakRssMib: number;
}

const DIGEST = /^[0-9a-f]{64}$/;

export const digestOrNull = (digest: unknown): string | null =>
  typeof digest === 'string' && DIGEST.test(digest) ? digest : null;

/** VmHWM: unlike ru_maxrss it does not begin with what the parent had at the fork. */
const peakRssMib = (): number => {
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(found?.[1]) / 1024;
};

export const report = (digests: readonly unknown[], bytesWritten: number): void => {
  const outcome: Outcome = { digests: digests.map(digestOrNull), bytesWritten, peakRssMib: peakRssMib() };
  console.log(JSON.stringify(outcome));
};
