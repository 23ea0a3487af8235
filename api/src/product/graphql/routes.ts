// POST /v1/graphql: several of the other routes in one question, with only the fields that are wanted. Each is worked on by
// its own route, so limits, roles, the audit log and answers are the same by both.
import type { GraphQLSchema } from 'graphql';
import { z } from 'zod';
import type { Call } from '../../ground/http/call.ts';
import { json } from '../../ground/http/fields.ts';
import { type FrameParts, type Perform, performer } from '../../ground/http/frame.ts';
import { Reply } from '../../ground/http/reply.ts';
import { parametersOf, type Route, route } from '../../ground/http/route.ts';
import { validate } from '../../ground/http/validate.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { type KnownQuestions, readKnown } from './known.ts';
import { BYTES_MAX } from './limits.ts';
import type { Ask } from './schema.ts';

export interface GraphNeeds {
  mode: 'on' | 'known' | 'off';
  /** DATA_DIR, where known questions lie. */
  folder: string;
  /** Those it is made of. */
  routes: readonly Route[];
  parts: FrameParts;
}

const asked = z
  .object({
    query: z.string().min(1).optional(),
    variables: z.record(z.string(), json).nullable().optional(),
    operationName: z.string().max(200).nullable().optional(),
    extensions: z
      .object({
        persistedQuery: z
          .object({ version: z.literal(1), sha256Hash: z.string().regex(/^[0-9a-f]{64}$/) })
          .optional(),
      })
      .nullable()
      .optional()
      .describe('a known question by the hash of its text'),
  })
  .meta({ id: 'GraphQuestion' });

const told = z
  .object({
    data: json.optional().describe('as asked; what was refused is null'),
    errors: z
      .array(
        z.object({
          message: z.string(),
          path: z.array(z.union([z.string(), z.number()])).optional(),
          extensions: z.object({
            code: z.string().describe('as in Refusal.error'),
            issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
            requestId: z.string().optional(),
          }),
        }),
      )
      .optional(),
  })
  .meta({ id: 'GraphAnswer' });

/** A field's arguments, as the route takes them: its path, and its query or its body. */
function inputOf(one: Route, args: Record<string, unknown>) {
  const names = new Set(parametersOf(one));
  const given = Object.entries(args).filter(([, value]) => value !== undefined);
  const params = given.flatMap(([name, value]) => (names.has(name) ? [[name, String(value)] as const] : []));
  const rest = given.filter(([name]) => !names.has(name));
  const isQuery = one.takes?.as === 'query';
  return {
    params: Object.fromEntries(params),
    // a query is text, and what is null there is not said
    input: Object.fromEntries(
      isQuery ? rest.flatMap(([name, value]) => (value === null ? [] : [[name, String(value)]])) : rest,
    ),
  };
}

/** throws  whatever the route refuses */
function asking(parts: FrameParts): Ask {
  const performs = new Map<Route, Perform>();
  return async (one, args, outer) => {
    // the door lets in whom the question's own door let in, and takes this route's limit
    const perform = performs.get(one) ?? performer(one, { ...parts, admit: async (call) => call.caller });
    performs.set(one, perform);
    const { params, input } = inputOf(one, args);
    const call = outer.within(one, params, input);
    const answer = await perform(call, () => (one.takes?.shape ? validate(one.takes.shape, input) : input));
    return plain(answer);
  };
}

/** Without `ok`, which is said of a whole answer. */
function plain(answer: object | Reply): unknown {
  if (!(answer instanceof Reply)) return answer;
  if (typeof answer.body !== 'string') return answer.body;
  const { ok: _ok, ...told } = JSON.parse(answer.body) as Record<string, unknown>;
  return told;
}

export function graphRoutes({ mode, folder, routes, parts }: GraphNeeds): Route[] {
  if (mode === 'off') return [];
  let known: Promise<KnownQuestions> | undefined;
  let schema: GraphQLSchema | undefined;

  async function textOf({ query, extensions }: z.output<typeof asked>): Promise<string> {
    if (query !== undefined && mode === 'on') return query;
    const hash = extensions?.persistedQuery?.sha256Hash;
    known ??= readKnown(folder);
    const texts = await known.catch((error) => {
      known = undefined; // mended, it is read again
      throw error;
    });
    const text = hash === undefined ? undefined : texts.get(hash);
    if (text !== undefined) return text;
    throw new AppError(
      'invalid_request',
      mode === 'known'
        ? 'Only known questions are answered here: send the hash of one of them as extensions.persistedQuery.sha256Hash.'
        : 'Send a query, or the hash of a known one as extensions.persistedQuery.sha256Hash.',
      {
        issues: [{ path: hash ? 'extensions.persistedQuery.sha256Hash' : 'query', message: 'is not known' }],
      },
    );
  }

  return [
    route({
      at: 'POST /v1/graphql',
      id: 'runGraph',
      says: 'GraphQL over the routes that a capability opens; refusals have their code in extensions.code',
      tag: 'graphql',
      who: 'caller',
      takes: { as: ['json'], bytesMax: BYTES_MAX, shape: asked },
      answers: {
        200: { says: 'What was asked, and what of it was refused', type: 'application/json', shape: told },
        400: {
          says: 'A question that cannot be read, or is too large',
          type: 'application/json',
          shape: told,
        },
      },
      async run(question, call: Call) {
        const text = await textOf(question);
        const [{ answer }, { graphOf }] = await Promise.all([import('./answer.ts'), import('./schema.ts')]);
        schema ??= graphOf(routes, asking(parts));
        const { variables, operationName } = question;
        const { status, body } = await answer(
          schema,
          { text, variables: variables ?? {}, operationName: operationName ?? undefined },
          call,
        );
        return new Reply(status, JSON.stringify(body), { 'Content-Type': 'application/json; charset=utf-8' });
      },
    }),
  ];
}
