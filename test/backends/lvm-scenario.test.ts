import { guestSuite } from './guest/suite.ts';
import { LVM_GUEST } from './lvm/guest.ts';

await guestSuite({
  ...LVM_GUEST,
  name: 'volumes on real LVM, by the public API',
  files: ['test/backends/lvm/scenario.guest.ts'],
  disks: ['8G', '4G'],
  memoryMib: 3072,
});
