import { DISPATCH, dispatch } from '../dispatch/dispatch.ts';
import { step } from '../handler.ts';

export const handler = step(DISPATCH, dispatch);
