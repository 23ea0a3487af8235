// Cross-origin answers: an exact list of origins, echoed, also on errors; never credentials; others get no header at all.
import type { Middleware } from 'koa';

/** isAllowed: asked with the Origin header as sent (scheme://host[:port]). */
export function cors(isAllowed: (origin: string) => boolean): Middleware {
  return (ctx, next) => {
    const { origin } = ctx.req.headers;
    const { res } = ctx;
    res.setHeader('Vary', 'Origin');
    if (!origin || !isAllowed(origin)) return next();
    res.setHeader('Access-Control-Allow-Origin', origin);
    res.setHeader('Access-Control-Expose-Headers', 'Retry-After, X-Request-Id, ETag, Server-Timing');
    if (ctx.method === 'OPTIONS' && ctx.get('access-control-request-method')) {
      ctx.set('Access-Control-Allow-Methods', 'GET, POST, PATCH, PUT, DELETE');
      ctx.set('Access-Control-Allow-Headers', 'content-type, x-admin-key, x-requested-with');
      ctx.set('Access-Control-Max-Age', '86400');
      ctx.status = 204;
      return Promise.resolve();
    }
    return next();
  };
}
