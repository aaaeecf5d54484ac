import * as z from 'zod';
import type { Reply } from './http/exchange.ts';
import { MAX_VERSION } from './http/microversion.ts';
import type { Route } from './http/router.ts';
import { ROUTES } from './routes.ts';

/** The OpenAPI document, made from the table of routes and the schemas that the requests are checked with. */

type Operations = Record<string, Record<string, object>>;

const parametersOf = (path: string): Record<string, z.ZodType> =>
  Object.fromEntries([...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => [name, z.string()]));

const operation = ({ path, summary, body, answers, ours }: Route): object => ({
  summary,
  tags: [ours ? 'volmove' : 'block storage'],
  requestParams: { path: z.object(parametersOf(path)) },
  ...(body ? { requestBody: { content: { 'application/json': { schema: body } } } } : {}),
  responses: {
    [String(answers)]: { description: 'Done or accepted.' },
    default: { description: 'The reason why not.' },
  },
});

const paths = (routes: readonly Route[]): Operations => {
  const found: Operations = {};
  for (const route of routes) {
    found[route.path] = { ...found[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  return found;
};

/** The library is loaded when somebody asks: no other request needs it. */
export const openApi = async (): Promise<Reply> => {
  const { createDocument } = await import('zod-openapi');
  return {
    status: 200,
    body: createDocument({
      openapi: '3.1.0',
      info: {
        title: 'volmove',
        version: MAX_VERSION,
        description: 'The Block Storage API v3 for what it has words for, and migrations beside it.',
      },
      servers: [{ url: '/v3' }, { url: '/v3/{project_id}', variables: { project_id: { default: 'demo' } } }],
      components: {
        securitySchemes: {
          token: { type: 'apiKey', in: 'header', name: 'X-Auth-Token' },
          bearer: { type: 'http', scheme: 'bearer' },
        },
      },
      security: [{ token: [] }, { bearer: [] }],
      paths: paths(ROUTES),
    }),
  };
};
