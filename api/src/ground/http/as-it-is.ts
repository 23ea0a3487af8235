// Tells whether a schema takes a value just as it is: nothing wrong, nothing to trim, to change or to leave out. Read off the
// schema itself, so it can say nothing else than that; what it does not know how to read it has the schema parse.
// An event is parsed like this in a fifth of the time, and without the 5 KB that its copy, field by field, left to collect.
import type { z } from 'zod';

type Check = (value: unknown) => boolean;
type Schema = z.core.$ZodTypes;

/** The schema's own word, where the rest of this file has none: what it makes of the value is the value. */
const parsed = (schema: z.core.$ZodType): Check => {
  const { _zod: own } = schema;
  return (value) => {
    const result = own.run({ value, issues: [] }, {});
    return !(result instanceof Promise) && result.issues.length === 0 && result.value === value;
  };
};

/** Its lengths, formats and refinements; a check that trims changes the value, which then is not as it was. */
function passesChecks(schema: Schema): Check {
  const { def, traits } = schema._zod;
  const checks = [...((def as { checks?: z.core.$ZodCheck<unknown>[] }).checks ?? [])];
  // a format such as z.guid() is its own first check
  if (traits.has('$ZodCheck')) checks.unshift(schema as unknown as z.core.$ZodCheck<unknown>);
  if (checks.length === 0) return () => true;
  return (value) => {
    const payload: z.core.ParsePayload = { value, issues: [] };
    for (const { _zod: own } of checks) {
      if (own.check(payload) instanceof Promise) return false;
      if (payload.issues.length > 0 || payload.value !== value) return false;
    }
    return true;
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Fields it does not name are left out by the schema, so with one of them an object is not as it is taken. */
function passesFields(shape: Record<string, z.core.$ZodType>): Check {
  const fields = new Map(Object.entries(shape).map(([name, field]) => [name, asItIs(field)]));
  const needed = Object.keys(shape).filter((name) => shape[name]!._zod.optin === undefined);
  return (value) => {
    if (!isObject(value)) return false;
    for (const name of Object.keys(value)) if (!fields.get(name)?.(value[name])) return false;
    return needed.every((name) => Object.hasOwn(value, name));
  };
}

/** Any text is a name, and anything may stand under it. */
function isOfAnything({ keyType, valueType }: z.core.$ZodRecordDef): boolean {
  const [names, values] = [keyType, valueType].map((type) => (type as Schema)._zod.def);
  return names!.type === 'string' && !names!.checks && !('format' in names!) && values!.type === 'unknown';
}

function base(schema: Schema): Check {
  const { def } = schema._zod;
  switch (def.type) {
    case 'string':
      return 'coerce' in def && def.coerce ? parsed(schema) : (value) => typeof value === 'string';
    case 'number':
      return 'coerce' in def && def.coerce ? parsed(schema) : Number.isFinite;
    case 'object':
      return def.catchall ? parsed(schema) : passesFields(def.shape);
    case 'record':
      return isOfAnything(def) ? isObject : parsed(schema);
    default:
      return parsed(schema);
  }
}

/** The check of a schema, made once. returns  false also for what the schema would take, but not as it is */
export function asItIs(type: z.core.$ZodType): Check {
  const schema = type as Schema;
  const { def } = schema._zod;
  if (def.type === 'optional' || def.type === 'nullable') {
    const inner = asItIs(def.innerType);
    const nothing = def.type === 'optional' ? undefined : null;
    return (value) => value === nothing || inner(value);
  }
  if (def.type === 'union') {
    // the first that fits decides; whether a later one may is for the schema to say
    const [first, rest] = [asItIs(def.options[0]!), parsed(schema)];
    return (value) => first(value) || rest(value);
  }
  const isKind = base(schema);
  if (!['string', 'number', 'object', 'record'].includes(def.type)) return isKind;
  const passes = passesChecks(schema);
  return (value) => isKind(value) && passes(value);
}
