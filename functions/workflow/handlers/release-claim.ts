import { step } from '../handler.ts';
import { RELEASE, releaseClaim } from '../steps/release-claim.ts';

export const handler = step(RELEASE, releaseClaim);
