import pino from 'pino';
import { lambdaDeps } from '../shared/deps.ts';
import { createApi } from './app.ts';
import { noauth, refuseEverybody } from './http/noauth.ts';

/** The API Lambda, behind one `$default` route. `noauth` proves nothing, so it is for the embedded cloud alone. */

const log = pino({ name: 'api' }, pino.destination(2));
const deps = lambdaDeps();

export const handler = createApi(deps, {
  authenticate: deps.settings.endpoint === undefined ? refuseEverybody : noauth,
  report: (err, requestId) => log.error({ err, requestId }, 'api.failed'),
});
