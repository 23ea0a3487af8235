// Answers a question: read, measured, and worked on by the routes themselves. Loaded when the first one is asked, with the
// library it needs.
import {
  type ASTVisitor,
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  NoSchemaIntrospectionCustomRule,
  parse,
  type SelectionSetNode,
  specifiedRules,
  type ValidationContext,
  validate,
} from 'graphql';
import { fieldExtensionsEstimator, getComplexity, simpleEstimator } from 'graphql-query-complexity';
import type { Call } from '../../ground/http/call.ts';
import { asAppError } from '../../ground/http/errors.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { inTime, TooLate } from '../../ground/lib/in-time.ts';
import { COST_MAX, DEPTH_MAX, SECONDS_MAX, TOKENS_MAX } from './limits.ts';

export interface Question {
  text: string;
  variables: Record<string, unknown>;
  operationName: string | undefined;
}

const refused = (message: string) => new GraphQLError(message, { extensions: { code: 'invalid_request' } });

const isAboutSchema = (one: { kind: string; name?: { value: string } }): boolean =>
  one.kind === 'Field' && (one.name?.value.startsWith('__') ?? false);

/**
 * How deep fields lie in each other, fragments unfolded; those that hold themselves were refused before. Each fragment is looked
 * at once: unfolded anew at each place, forty of them that name the next one twice are a million million places.
 */
export function depthRule(context: ValidationContext): ASTVisitor {
  const known = new Map<string, number>();
  const ofFragment = (name: string): number => {
    let depth = known.get(name);
    if (depth === undefined) {
      const fragment = context.getFragment(name);
      depth = fragment ? depthOf(fragment.selectionSet) : 0;
      known.set(name, depth);
    }
    return depth;
  };
  const depthOf = (set: SelectionSetNode | undefined): number => {
    let deepest = 0;
    for (const one of set?.selections ?? []) {
      if (isAboutSchema(one)) continue; // for whoever may look, and it is deep by itself
      const depth =
        one.kind === Kind.FRAGMENT_SPREAD
          ? ofFragment(one.name.value)
          : Number(one.kind === Kind.FIELD) + depthOf(one.selectionSet);
      deepest = Math.max(deepest, depth);
    }
    return deepest;
  };
  return {
    OperationDefinition(node) {
      if (depthOf(node.selectionSet) > DEPTH_MAX)
        context.reportError(new GraphQLError(`Ask for at most ${DEPTH_MAX} levels of fields.`));
    },
  };
}

/** throws  a GraphQLError */
function read(text: string): DocumentNode {
  return parse(text, { maxTokens: TOKENS_MAX, noLocation: true });
}

function faultsOf(schema: GraphQLSchema, document: DocumentNode, question: Question, mayLook: boolean) {
  const shape = mayLook ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
  const faults = validate(schema, document, shape, { maxErrors: 10 });
  if (faults.length > 0) return faults;
  const deep = validate(schema, document, [depthRule], { maxErrors: 1 });
  if (deep.length > 0) return deep;
  if (!getOperationAST(document, question.operationName))
    return [refused('Say in operationName which of the operations is meant.')];
  const cost = getComplexity({
    schema,
    query: document,
    variables: question.variables,
    ...(question.operationName ? { operationName: question.operationName } : {}),
    estimators: [fieldExtensionsEstimator(), simpleEstimator({ defaultComplexity: 1 })],
  });
  return cost > COST_MAX ? [refused(`This costs ${cost} of at most ${COST_MAX}. Ask in parts.`)] : [];
}

/** As every refusal: our code, a sentence, and what is wrong where; never a stack or a library's own word for a fault of ours. */
function shown(error: GraphQLError, call: Call) {
  const cause = error.originalError;
  if (!cause) {
    const { message, path, extensions } = error;
    return { message, ...(path ? { path } : {}), extensions: { code: 'invalid_request', ...extensions } };
  }
  const { code, message, issues } = asAppError(cause);
  return {
    message,
    ...(error.path ? { path: error.path } : {}),
    extensions: { code, ...(issues ? { issues } : {}), requestId: call.id },
  };
}

export interface Answered {
  status: 200 | 400;
  body: { data?: unknown; errors?: ReturnType<typeof shown>[] };
}

export async function answer(schema: GraphQLSchema, question: Question, call: Call): Promise<Answered> {
  let document: DocumentNode;
  try {
    document = read(question.text);
    const faults = faultsOf(schema, document, question, call.caller.may('settings'));
    if (faults.length > 0) return { status: 400, body: { errors: faults.map((one) => shown(one, call)) } };
  } catch (error) {
    const fault = error instanceof GraphQLError ? error : refused('The variables do not fit the question.');
    return { status: 400, body: { errors: [shown(fault, call)] } };
  }
  const { data, errors } = await inTime(
    SECONDS_MAX * 1000,
    Promise.resolve(
      execute({
        schema,
        document,
        contextValue: call,
        variableValues: question.variables,
        ...(question.operationName ? { operationName: question.operationName } : {}),
      }) as ExecutionResult | Promise<ExecutionResult>,
    ),
  ).catch(tooLong);
  return {
    status: 200,
    body: {
      ...(errors ? { errors: errors.map((one) => shown(one, call)) } : {}),
      ...(data === undefined ? {} : { data }),
    },
  };
}

/** What was begun ends by the time limits of its statements. */
function tooLong(error: unknown): never {
  if (!(error instanceof TooLate)) throw error;
  throw new AppError('unavailable', `It took over ${SECONDS_MAX} seconds. Ask for less at once.`);
}
