import { guestSuite } from './guest/suite.ts';
import { SCENARIO_GUEST } from './lvm/guest.ts';

await guestSuite({
  ...SCENARIO_GUEST,
  name: 'by the public API, thick, thin and files',
  files: ['test/backends/lvm/scenario-others.guest.ts'],
});
