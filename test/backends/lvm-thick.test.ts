import { guestSuite } from './guest/suite.ts';
import { LVM_GUEST } from './lvm/guest.ts';

await guestSuite({
  ...LVM_GUEST,
  name: 'driver lvm, thick: conformance',
  files: ['test/backends/lvm/conformance-thick.guest.ts'],
});
