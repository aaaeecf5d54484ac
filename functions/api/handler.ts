import pino from 'pino';
import { problemLine, problemText } from '../../domain/problem.ts';
import { lambdaDeps } from '../shared/deps.ts';
import { createApi } from './app.ts';
import { noauth, refuseEverybody } from './http/noauth.ts';

/** The API Lambda, behind one `$default` route. `noauth` proves nothing, so it is for the embedded cloud alone. */

const log = pino({ name: 'api' }, pino.destination(2));
const deps = lambdaDeps();
/** Of an embedded cloud that somebody watches. */
const onTerminal = process.stderr.isTTY && !process.env.VOLMOVE_DEBUG;

export const handler = createApi(deps, {
  authenticate: deps.settings.endpoint === undefined ? refuseEverybody : noauth,
  report: (err, requestId) => {
    if (onTerminal) process.stderr.write(`${problemLine(problemText(`request ${requestId}`, err), Date.now())}\n`);
    else log.error({ err, requestId }, 'api.failed');
  },
});
