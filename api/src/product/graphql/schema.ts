// The GraphQL schema of the routes: a field for each that a caller asks for by a capability and that answers JSON, its
// arguments what the route takes, its type what it answers. Read off the same shapes that validate and document them.
import {
  GraphQLBoolean,
  type GraphQLFieldConfigMap,
  GraphQLFloat,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLOutputType,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
} from 'graphql';
import { z } from 'zod';
import type { Call } from '../../ground/http/call.ts';
import { CAPABILITIES } from '../../ground/http/caller.ts';
import { jsonAnswerOf, methodOf, parametersOf, type Route } from '../../ground/http/route.ts';
import { COST_OF_ROUTE } from './limits.ts';

interface JsonSchema {
  type?: string | string[];
  $ref?: string;
  description?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema | false;
  anyOf?: JsonSchema[];
  enum?: unknown[];
  $defs?: Record<string, JsonSchema>;
}

export type Ask = (route: Route, args: Record<string, unknown>, call: Call) => Promise<unknown>;

const NAME = /^[_A-Za-z]\w*$/;
const anything = new GraphQLScalarType({
  name: 'JSON',
  description:
    'What has no fields of its own here: maps, lists of several kinds, and what others fill as they like',
});

/** Whether it stands in the schema: asked for by a capability, and answered in JSON. */
export const isAsked = (route: Route): boolean =>
  route.who in CAPABILITIES && jsonAnswerOf(route.answers) !== null && route.takes?.as !== undefined
    ? route.takes.as === 'query' || route.takes.as.includes('json')
    : route.who in CAPABILITIES && jsonAnswerOf(route.answers) !== null;

const capital = (word: string) => word[0]!.toUpperCase() + word.slice(1);
const schemaOf = (shape: z.ZodType, io: 'input' | 'output') =>
  z.toJSONSchema(shape, {
    io,
    unrepresentable: 'any',
    reused: 'inline',
    // what the shape says of itself in the document: a number, where a query writes text
    override({ zodSchema, jsonSchema }) {
      const { override } = (z.globalRegistry.get(zodSchema as unknown as z.ZodType) ?? {}) as {
        override?: unknown;
      };
      if (typeof override === 'function') override({ jsonSchema });
      delete (jsonSchema as { override?: unknown }).override;
    },
  }) as JsonSchema;

/** What an object may hold; of a choice of objects all of theirs, none of which is needed. */
function propertiesOf(
  schema: JsonSchema,
  defs = schema.$defs ?? {},
): Pick<JsonSchema, 'properties' | 'required'> {
  if (schema.$ref) return propertiesOf(defs[schema.$ref.split('/').at(-1)!] ?? {}, defs);
  if (!schema.anyOf) return schema;
  const all = schema.anyOf.map((one) => propertiesOf(one, defs).properties ?? {});
  return { properties: Object.assign({}, ...all) };
}

/** null is one of the kinds: the field may be it; the others. */
function withoutNull(schema: JsonSchema): { schema: JsonSchema; isNullable: boolean } {
  const { anyOf, type } = schema;
  if (anyOf) {
    const others = anyOf.filter((one) => one.type !== 'null');
    if (others.length < anyOf.length && others.length === 1) return { schema: others[0]!, isNullable: true };
  }
  if (Array.isArray(type) && type.includes('null')) {
    const others = type.filter((one) => one !== 'null');
    if (others.length === 1) return { schema: { ...schema, type: others[0]! }, isNullable: true };
  }
  return { schema, isNullable: false };
}

const SCALARS: Record<string, GraphQLScalarType> = {
  string: GraphQLString,
  // JSON's numbers: GraphQL's Int ends at 32 bits, and sums do not
  number: GraphQLFloat,
  integer: GraphQLFloat,
  boolean: GraphQLBoolean,
};

function typesOf() {
  const named = new Map<string, GraphQLObjectType>();

  function objectOf(schema: JsonSchema, name: string, defs: Record<string, JsonSchema>): GraphQLOutputType {
    const properties = Object.entries(schema.properties ?? {});
    if (properties.length === 0 || !properties.every(([property]) => NAME.test(property))) return anything;
    const known = named.get(name);
    if (known) return known;
    const made = new GraphQLObjectType({
      name,
      ...(schema.description ? { description: schema.description } : {}),
      fields: () =>
        Object.fromEntries(
          properties.map(([property, one]) => {
            const { schema: inner, isNullable } = withoutNull(one);
            const type = typeOf(inner, name + capital(property), defs);
            const isSure = !isNullable && schema.required?.includes(property) && type !== anything;
            const { description } = one;
            return [
              property,
              {
                type: isSure ? new GraphQLNonNull(type as GraphQLObjectType) : type,
                ...(description ? { description } : {}),
              },
            ];
          }),
        ),
    });
    named.set(name, made);
    return made;
  }

  /** name  of an object that has none of its own */
  function typeOf(schema: JsonSchema, name: string, defs: Record<string, JsonSchema>): GraphQLOutputType {
    if (schema.$ref) {
      const id = schema.$ref.split('/').at(-1)!;
      return defs[id] ? typeOf(defs[id], NAME.test(id) ? id : name, defs) : anything;
    }
    if (schema.type === 'array') {
      if (!schema.items) return anything;
      const { schema: item, isNullable } = withoutNull(schema.items);
      const of = typeOf(item, name, defs);
      return new GraphQLList(
        isNullable || of === anything ? of : new GraphQLNonNull(of as GraphQLObjectType),
      );
    }
    if (schema.type === 'object') return objectOf(schema, name, defs);
    return SCALARS[String(schema.type)] ?? anything;
  }

  return (route: Route): GraphQLOutputType => {
    const schema = schemaOf(jsonAnswerOf(route.answers)!.shape, 'output');
    // an answer that is a shape with a name of its own is still this route's: two may share it
    return typeOf(schema, `${capital(route.id)}Answer`, schema.$defs ?? {});
  };
}

function argumentsOf(route: Route) {
  const path = parametersOf(route).map((name) => [
    name,
    { type: new GraphQLNonNull(GraphQLString), ...(name === 'siteId' ? { description: 'id or key' } : {}) },
  ]);
  const shape = route.takes?.shape ?? route.takes?.documents;
  const { properties = {}, required = [] } = shape ? propertiesOf(schemaOf(shape, 'input')) : {};
  const isQuery = route.takes?.as === 'query';
  const given = Object.entries(properties)
    .filter(([name]) => NAME.test(name) && !(isQuery && name === 'format'))
    .map(([name, one]) => {
      const { schema, isNullable } = withoutNull(one);
      const type = SCALARS[String(schema.type)] ?? anything;
      const isNeeded = required.includes(name) && !isNullable && type !== anything;
      const { description } = one;
      return [
        name,
        { type: isNeeded ? new GraphQLNonNull(type) : type, ...(description ? { description } : {}) },
      ];
    });
  return Object.fromEntries([...path, ...given]);
}

/** ask  does what the route does, for the call of the question */
export function graphOf(routes: readonly Route[], ask: Ask): GraphQLSchema {
  const typeOf = typesOf();
  const fieldsOf = (those: Route[]): GraphQLFieldConfigMap<unknown, Call> =>
    Object.fromEntries(
      those.map((route) => [
        route.id,
        {
          type: typeOf(route),
          description: route.says,
          args: argumentsOf(route),
          extensions: {
            complexity: ({ childComplexity }: { childComplexity: number }) => COST_OF_ROUTE + childComplexity,
          },
          resolve: (_: unknown, args: Record<string, unknown>, call: Call) => ask(route, args, call),
        },
      ]),
    );
  const asked = routes.filter(isAsked);
  const isQuestion = (route: Route) => methodOf(route) === 'GET';
  return new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: fieldsOf(asked.filter(isQuestion)) }),
    mutation: new GraphQLObjectType({
      name: 'Mutation',
      fields: fieldsOf(asked.filter((route) => !isQuestion(route))),
    }),
  });
}
