// The score of a visitor's behaviour, 0 to 100, as the contract states it: how lately, how often, how long, how much on purpose.

export interface Behaviour {
  /** Since they were last seen. */
  days: number;
  /** In 30 days, as the next two. */
  sessions: number;
  engagedMinutes: number;
  /** 1 − Π(1 − w) over the events that show an intent. */
  intent: number;
}

export const scoreOf = ({ days, sessions, engagedMinutes, intent }: Behaviour): number =>
  100 *
  (0.3 * 2 ** (-days / 7) +
    0.25 * (1 - Math.exp(-sessions / 3)) +
    0.2 * (1 - Math.exp(-engagedMinutes / 10)) +
    0.25 * intent);

/** SQL: the same. */
export const SCORE = (days: string, sessions: string, minutes: string, intent: string): string =>
  `100 * (0.3 * power(2, -${days} / 7) + 0.25 * (1 - exp(-${sessions} / 3.0)) + 0.2 * (1 - exp(-${minutes} / 10.0)) + 0.25 * ${intent})`;

/** Of a site that does not say its own (settings.intentWeights). */
export const WEIGHTS: Record<string, number> = {
  cta_click: 0.1,
  form_start: 0.2,
  form_submit: 0.4,
  email_verify: 0.5,
  signup: 0.6,
  activation: 0.6,
};
