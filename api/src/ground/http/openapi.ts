// GET /v1/openapi.json: OpenAPI 3.1 of every route, made from the values that are mounted and the schemas that validate.
import { z } from 'zod';
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject } from 'zod-openapi';
import { Reply } from './reply.ts';
import {
  type BodyKind,
  isTold,
  methodOf,
  parametersOf,
  pathOf,
  type Route,
  route,
  type Told,
} from './route.ts';

export const errorShape = z
  .object({
    ok: z.literal(false).meta({ override: { enum: [false] } }), // generators read a `const` that is false as absent
    error: z.string().regex(/^[a-z0-9_]{1,64}$/),
    message: z.string(),
    issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    requestId: z.string(),
  })
  .meta({ id: 'Refusal' }); // a type called Error would hide the language's own in a client

const MEDIA_TYPE: Record<BodyKind, string> = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  beacon: 'text/plain',
  csv: 'text/csv',
  text: 'application/x-www-form-urlencoded',
  raw: 'text/plain',
};

/** The shape as it is sent: `ok` first. A choice of shapes stays a choice. */
function withOk(shape: z.ZodType): z.ZodType {
  if (shape instanceof z.ZodObject) return z.object({ ok: z.literal(true), ...shape.shape });
  if (shape instanceof z.ZodUnion) return z.union(shape.options.map((one) => withOk(one as z.ZodType)));
  throw new Error('An answer is an object or a choice of objects.');
}

function responseOf(answer: z.ZodType | Told, asTable = false) {
  if (!isTold(answer))
    return {
      description: answer.description ?? 'Done',
      content: {
        'application/json': { schema: withOk(answer) },
        ...(asTable ? { 'text/csv': { schema: z.string() } } : {}),
      },
    };
  return {
    description: answer.says,
    ...(answer.type ? { content: { [answer.type]: { schema: answer.shape ?? told(answer.type) } } } : {}),
  };
}

function told(type: NonNullable<Told['type']>): z.ZodType {
  if (type === 'application/json') return z.looseObject({ openapi: z.string() });
  const text = z.string();
  return type === 'image/gif' ? text.meta({ override: { format: 'binary' } }) : text;
}

function bodyOf({ takes }: Route) {
  if (!takes || takes.as === 'query') return {};
  const shape = takes.documents ?? takes.shape ?? z.string();
  const schemaOf = (kind: BodyKind): z.ZodType =>
    kind === 'beacon' || kind === 'csv'
      ? z.string()
      : kind === 'form'
        ? (takes.formDocuments ?? shape)
        : shape;
  return {
    requestBody: {
      required: !takes.optional,
      content: Object.fromEntries(
        takes.as.flatMap((kind) => [
          [MEDIA_TYPE[kind], { schema: schemaOf(kind) }],
          ...(kind === 'form' ? [['multipart/form-data', { schema: schemaOf(kind) }]] : []),
        ]),
      ),
    },
  };
}

function parametersIn(one: Route) {
  const names = parametersOf(one);
  const path = names.map((name) => [
    name,
    name === 'siteId'
      ? z.string().describe("the site's id or key")
      : name.endsWith('Id')
        ? z.uuid()
        : z.string(),
  ]);
  const query = one.takes?.as === 'query' ? (one.takes.shape ?? one.takes.documents) : undefined;
  if (names.length === 0 && !query) return {};
  return {
    requestParams: {
      ...(names.length > 0 ? { path: z.object(Object.fromEntries(path)) } : {}),
      ...(query ? { query: query as z.ZodObject } : {}),
    },
  };
}

/** Ways in, any of which will do, and what is asked of whoever comes. */
function securityOf({ who, proof, view }: Route) {
  if (who === 'anyone' || who === 'inside') return {};
  const ways: (keyof typeof WAYS)[] = ['session', 'accessToken'];
  if (who !== 'person') ways.unshift('adminKey', 'key');
  return {
    security: [
      ...ways.map((way) => ({ [way]: [] })),
      ...(view ? [{ share: [] }, { share: [], unlocked: [] }] : []),
    ],
    'x-capability': who,
    ...(proof
      ? { 'x-proof': 'of the last ten minutes (POST /v1/auth/prove), of a person who signed in' }
      : {}),
  };
}

const WAYS = {
  adminKey: { type: 'apiKey', in: 'header', name: 'x-admin-key' },
  key: { type: 'http', scheme: 'bearer', description: 'a key of POST /v1/keys: mk_…' },
  session: { type: 'apiKey', in: 'cookie', name: '__Host-session', description: 'of POST /v1/auth/login' },
  accessToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'of POST /v1/auth/login with as: "token", and of POST /v1/auth/refresh',
  },
  share: { type: 'apiKey', in: 'header', name: 'x-share-token', description: 'of a shared view’s link' },
  unlocked: {
    type: 'apiKey',
    in: 'header',
    name: 'x-share-unlock',
    description: 'beside it, where the view has a password: of POST /v1/shares/unlock',
  },
} as const;

export function pathsOf(routes: readonly Route[]): ZodOpenApiPathsObject {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const one of routes) {
    const at = pathOf(one).replace(/:(\w+)/g, '{$1}');
    paths[at] ??= {};
    paths[at][methodOf(one).toLowerCase()] = {
      operationId: one.id,
      tags: [one.tag],
      summary: one.says,
      ...securityOf(one),
      ...parametersIn(one),
      ...bodyOf(one),
      responses: {
        ...Object.fromEntries(
          Object.entries(one.answers).map(([status, answer]) => [status, responseOf(answer, one.asTable)]),
        ),
        default: { description: 'Refused', content: { 'application/json': { schema: errorShape } } },
      },
    };
  }
  return paths as ZodOpenApiPathsObject;
}

/** routes  asked when the document is: all of the running house, this one too */
export function openApiRoute(routes: () => readonly Route[], version: string): Route {
  let document: string | undefined; // made when first asked for: most processes never are
  return route({
    at: 'GET /v1/openapi.json',
    id: 'getOpenApi',
    says: 'This document',
    tag: 'api',
    who: 'anyone',
    answers: { 200: { says: 'OpenAPI 3.1', type: 'application/json' } },
    async run() {
      const { createDocument } = await import('zod-openapi');
      document ??= JSON.stringify(
        createDocument({
          openapi: '3.1.0',
          info: {
            title: 'Marketing backend',
            version,
            description: 'Events, leads, consent and the numbers from them.',
          },
          paths: pathsOf(routes()),
          components: {
            securitySchemes: WAYS,
          },
        }),
      );
      return new Reply(200, document, {
        'Content-Type': 'application/json; charset=utf-8',
        'Cache-Control': 'public, max-age=300',
      });
    },
  });
}
