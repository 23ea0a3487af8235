// Shapes of integrations at the door.
import { z } from 'zod';
import { utc } from '../../ground/http/fields.ts';
import { planId } from '../plans/schema.ts';
import { OVERLAP_HOURS } from './secrets.ts';

export const KINDS = ['shopify', 'woocommerce', 'stripe', 'standard_webhooks', 'generic'] as const;
export type Kind = (typeof KINDS)[number];

const headerName = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9-]{1,64}$/, 'the name of a header');
const path = z
  .string()
  .trim()
  .regex(/^[\w-]{1,64}(\.[\w-]{1,64}){0,7}$/, 'names of fields, parted by dots, such as data.order.id');

export const mappingShape = z
  .object({
    shopDomain: z.string().trim().max(200).optional().describe('shopify: such as bakery.myshopify.com'),
    signature: z
      .object({
        header: headerName,
        encoding: z.enum(['hex', 'base64']).default('hex'),
        timeHeader: headerName.optional().describe('epoch seconds, signed as time.body; 300 s at most'),
      })
      .optional()
      .describe('generic: where HMAC-SHA256 of the body stands'),
    deliveryId: z
      .union([z.object({ header: headerName }), z.object({ field: path })])
      .optional()
      .describe('generic: by what the same delivery is known'),
    plans: z
      .record(z.string().regex(/^price_\w{1,100}$/, 'an id of a price, such as price_1Abc'), planId)
      .refine((plans) => Object.keys(plans).length <= 50, 'fifty at most')
      .optional()
      .describe(
        'stripe: which plan each price pays for; then it tells of plans, and of no purchases. Only owners',
      ),
    planAfter: planId.optional().describe('stripe, with plans: the plan once what is paid ended'),
    topic: path.optional().describe('generic, standard_webhooks: where its topic stands; default: type'),
    topics: z
      .record(z.string().max(100), z.enum(['signup', 'activation', 'purchase', 'void', 'erase']))
      .refine((topics) => Object.keys(topics).length <= 50, 'fifty at most')
      .optional()
      .describe('generic, standard_webhooks: what each topic means; others are ignored'),
    fields: z
      .object({
        id: path.optional(),
        email: path.optional(),
        amount: path.optional(),
        currency: path.optional(),
        occurredAt: path.optional(),
        products: path.optional().describe('a list of names, or of objects with a name or title'),
        country: path.optional().describe('two letters'),
      })
      .optional()
      .describe('generic, standard_webhooks: where they stand; default: data.id and so on'),
  })
  .refine(({ plans, planAfter }) => (plans === undefined) === (planAfter === undefined), {
    path: ['planAfter'],
    message: 'say which plan follows when what is paid ended, with plans and only with them',
  })
  .meta({ id: 'IntegrationMapping' });
export type Mapping = z.output<typeof mappingShape>;
export const tellsPlans = ({ plans }: Mapping): boolean => plans !== undefined;

export const integrationShape = z
  .object({
    integrationId: z.uuid(),
    kind: z.enum(KINDS),
    url: z.string().describe('where the other side sends to'),
    mapping: mappingShape,
    version: z.int().describe('for If-Match'),
    createdAt: utc,
    madeBy: z.string(),
    receivedAt: utc.nullable().describe('when something came last'),
    refused: z.int().describe('deliveries whose signature was not theirs'),
    refusedAt: utc.nullable(),
  })
  .meta({ id: 'Integration' });
export type Integration = z.output<typeof integrationShape>;

const secret = z
  .string()
  .min(4)
  .max(500)
  .describe('what the other side signs with; kept encrypted, never shown');
export const newIntegration = z
  .object({ kind: z.enum(KINDS), secret, mapping: mappingShape.default({}) })
  .refine(({ kind, mapping }) => kind !== 'generic' || mapping.signature !== undefined, {
    path: ['mapping', 'signature'],
    message: 'say where the signature stands',
  })
  .refine(({ kind, mapping }) => mapping.plans === undefined || kind === 'stripe', {
    path: ['mapping', 'plans'],
    message: 'only Stripe tells of plans',
  })
  .meta({ id: 'NewIntegration' });
export const integrationPatch = z
  .object({
    secret: secret.optional().describe('the one of before is taken for 72 hours more'),
    overlapHours: z
      .int()
      .min(0)
      .max(OVERLAP_HOURS)
      .default(OVERLAP_HOURS)
      .describe('with secret: for how long; 0 ends all of before at once'),
    mapping: mappingShape.optional(),
  })
  .meta({ id: 'IntegrationPatch' });
