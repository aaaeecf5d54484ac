import process from 'node:process';
import { guestProblem, runInGuest } from '../test/backends/guest/guest.ts';

/**
 * A thin volume of 10 GiB with 1 GiB in it, from one volume group to another, on a guest's kernel: volmove's driver and its copy with
 * its digest and checkpoints in one process, without control plane and network; dd, which reads all 10 GiB; and dd of 1 GiB that has
 * no holes, which is the part that nobody can leave out. `npm run bench:lvm [-- ROUNDS]`
 */
const problem = guestProblem([
  ['lvm', 'lvm2'],
  ['thin_dump', 'thin-provisioning-tools'],
]);
if (problem !== undefined) {
  console.error(`It cannot run here: ${problem}`);
  process.exit(1);
}
const { exitCode, stdout, stderr } = await runInGuest(
  [process.execPath, 'bench/lvm/in-guest.ts', ...process.argv.slice(2)],
  {
    disks: ['3G', '3G'],
    memoryMib: 1024,
    timeoutSeconds: 590,
    udev: false,
  },
);
console.log(stdout);
if (exitCode !== 0) console.error(stderr);
process.exitCode = exitCode ?? 1;
