// GET /v1/openapi.json: OpenAPI 3.1 of every route, made from the schemas that validate.
import Router from '@koa/router';
import type { ZodOpenApiPathsObject } from 'zod-openapi';

export function openApiRoutes(paths: ZodOpenApiPathsObject, version: string): Router {
  const router = new Router();
  let document: string | undefined; // made when first asked for: most processes never are
  router.get('/v1/openapi.json', async (ctx) => {
    const { createDocument } = await import('zod-openapi');
    document ??= JSON.stringify(
      createDocument({
        openapi: '3.1.0',
        info: {
          title: 'Marketing backend',
          version,
          description: 'Events, leads, consent and the numbers from them.',
        },
        paths,
        components: { securitySchemes: { adminKey: { type: 'apiKey', in: 'header', name: 'x-admin-key' } } },
      }),
    );
    ctx.type = 'application/json';
    ctx.set('Cache-Control', 'public, max-age=300');
    ctx.body = document;
  });
  return router;
}
