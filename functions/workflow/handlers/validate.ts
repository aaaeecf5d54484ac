import { RUN, step } from '../handler.ts';
import { validate } from '../steps/validate.ts';

export const handler = step(RUN, validate);
