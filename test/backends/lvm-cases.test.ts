import { guestSuite } from './guest/suite.ts';
import { LVM_GUEST } from './lvm/guest.ts';

await guestSuite({
  ...LVM_GUEST,
  name: 'driver lvm: its own cases',
  files: ['thick', 'thin', 'names', 'full', 'faults', 'probe'].map((name) => `test/backends/lvm/${name}.guest.ts`),
});
