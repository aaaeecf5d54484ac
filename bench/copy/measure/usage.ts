import { readFileSync } from 'node:fs';
import koffi from 'koffi';

/** CPU time, as the kernel counts it. */
const getrusage = koffi.load(null).func('int getrusage(int who, int64 *usage)');
const RUSAGE_CHILDREN = -1;
/** struct rusage: two timevals, and 14 longs. */
const FIELDS = 18;

/** User and system seconds of every child process that has ended and was waited for, and of theirs. */
export const childrenCpuSeconds = (): number => {
  const usage = new BigInt64Array(FIELDS);
  if (getrusage(RUSAGE_CHILDREN, usage) !== 0) throw new Error('getrusage refused');
  const microseconds = (seconds: number): number => Number(usage[seconds]) * 1e6 + Number(usage[seconds + 1]);
  return (microseconds(0) + microseconds(2)) / 1e6;
};

/** USER_HZ, which Linux shows to programs as 100 whatever its own tick is. */
const TICKS_PER_SECOND = 100;

/** User and system seconds of one process that runs, all of its threads (proc(5), stat). */
export const processCpuSeconds = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // the name in parentheses may contain anything; utime and stime are fields 14 and 15, the first one after it is field 3
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
};
