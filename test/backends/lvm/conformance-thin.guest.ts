import { describe } from 'vitest';
import { driverContract } from '../../host-agent/driver-contract.ts';
import { lvmUnderTest } from './under-test.ts';

describe('driver lvm, thin', () => {
  driverContract(lvmUnderTest(true));
});
