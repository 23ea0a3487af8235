// Shapes of rules that warn at the door.
import { z } from 'zod';
import { utc } from '../../ground/http/fields.ts';
import { recipientAddress, recipientShape } from '../mail-reports/schema.ts';
import { KINDS, SENSITIVITIES } from './judge.ts';

export const RULES_MAX = 20;

const kind = z
  .enum(KINDS)
  .describe(
    'spike, drop: visits of an hour against the same hour of the last four weeks; silence: none; lead_drought: no lead in 24 hours or 7 days; goal_zero: a day without the event that `goal` names',
  );
const sensitivity = z.enum(SENSITIVITIES).describe('low warns less often');
const goal = z.string().trim().min(1).max(64).describe('name of an event; of goal_zero alone');

export const alertRuleShape = z
  .object({
    ruleId: z.uuid(),
    siteId: z.uuid(),
    kind,
    sensitivity,
    goal: goal.nullable(),
    madeBy: z.string(),
    createdAt: utc,
    toldAt: utc.nullable().describe('when it last warned'),
    channels: z.array(z.object({ mail: recipientShape })),
  })
  .meta({ id: 'AlertRule' });
export type AlertRule = z.output<typeof alertRuleShape>;

export const newAlertRule = z
  .object({
    kind,
    sensitivity: sensitivity.default('normal'),
    goal: goal.optional(),
    channels: z
      .array(z.object({ mail: recipientAddress }))
      .min(1)
      .max(20)
      .describe('who is warned; each says yes by the link of a mail first'),
  })
  .refine((rule) => (rule.kind === 'goal_zero') === (rule.goal !== undefined), {
    path: ['goal'],
    message: 'goes with goal_zero, and only with it: the name of the event',
  })
  .meta({ id: 'NewAlertRule' });
