import { guestSuite } from './guest/suite.ts';
import { LVM_GUEST } from './lvm/guest.ts';

await guestSuite({
  ...LVM_GUEST,
  name: 'driver lvm with udev',
  files: ['test/backends/lvm/udev.guest.ts'],
  programs: [...LVM_GUEST.programs, ['udevadm', 'udev']],
  udev: true,
});
