import { guestSuite } from './guest/suite.ts';
import { LVM_GUEST } from './lvm/guest.ts';

await guestSuite({
  ...LVM_GUEST,
  name: 'driver lvm, thin: conformance',
  files: ['test/backends/lvm/conformance-thin.guest.ts'],
});
