import { guestSuite } from './guest/suite.ts';
import { SCENARIO_GUEST } from './lvm/guest.ts';

await guestSuite({
  ...SCENARIO_GUEST,
  name: 'by the public API, thin to thin',
  files: ['test/backends/lvm/scenario-thin.guest.ts'],
});
