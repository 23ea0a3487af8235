// A review comes by the road of a form: its person is a lead, and what it says is taken out of what was typed.
import { forgive } from '../../ground/http/forgive.ts';
import { AppError, type Issue } from '../../ground/lib/app-error.ts';
import type { Site } from '../../ground/site.ts';
import { type Capture, typedName } from '../captures/capture.ts';
import type { Errand } from '../captures/receive.ts';
import type { CaptureInput } from '../captures/schema.ts';
import { publishWanted } from '../display/display.ts';
import { uuidv7 } from '../events/enrich.ts';
import { type ReviewFields, reviewFields } from './schema.ts';

const NAMES = Object.keys(reviewFields.shape) as (keyof ReviewFields)[];
// what turns text around or hides in it; joiners are letters' own
const HIDDEN = /(?![\n\u200c\u200d])[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** As a page may show them: the ends of lines are one sign, and nothing hides. */
export const plainWords = (typed: string): string => typed.replace(/\r\n?/g, '\n').replace(HIDDEN, '').trim();

/** A form's field that comes twice means its last. */
const lastOf = (value: unknown) => (Array.isArray(value) ? value.at(-1) : value);

interface ReadReview {
  review: ReviewFields;
  rest: Record<string, unknown> | null;
  warnings: Issue[];
  /** Not all that was typed is there: nobody allowed what is left. */
  isCut: boolean;
}

/** throws  invalid_request when it says nothing */
function readReview({ payload = {} }: CaptureInput): ReadReview {
  const fields: Record<string, unknown> = {};
  const rest: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(payload))
    if ((NAMES as string[]).includes(name)) fields[name] = lastOf(value);
    else rest[name] = value;
  if (typeof fields.text === 'string') fields.text = plainWords(fields.text);
  for (const name of NAMES) if (fields[name] === '' || fields[name] === null) delete fields[name];
  const { value: review, warnings } = forgive(reviewFields, fields, () => false);
  if (review.text === undefined && review.rating === undefined)
    throw new AppError(
      'invalid_request',
      'A review says something: give its text, or a rating from 1 to 5.',
      {
        issues: [{ path: 'text', message: 'is needed, or a rating from 1 to 5' }],
      },
    );
  const isCut = [payload._cut].flat().includes('text') || warnings.some(({ path }) => path === 'text');
  const { _cut: cut, ...others } = rest;
  return {
    review,
    rest: Object.keys(others).length > 0 ? { ...others, ...(cut ? { _cut: cut } : {}) } : null,
    warnings,
    isCut,
  };
}

function withReview(capture: Capture, site: Site, input: CaptureInput, read: ReadReview): Capture {
  const { review, rest, isCut } = read;
  const { text, ...facts } = review;
  const reviewId = uuidv7();
  const display = input.display && { ...input.display, name: input.display.name ?? typedName(rest ?? {}) };
  const permission =
    display && text !== undefined && !isCut
      ? publishWanted(
          // nobody is named there: the words alone
          site.settings.sensitive === true ? { text: display.text, fields: [] } : display,
          { reviewId, words: text },
          {
            basis: 'form',
            occurredAt: capture.received_at,
            page: capture.path,
            formName: capture.form_name,
            privacySignal: capture.privacy_signal,
          },
        )
      : null;
  return {
    ...capture,
    payload: rest,
    display: null,
    review: {
      ...facts,
      review_id: reviewId,
      submission_id: capture.submission_id,
      words: text,
      source: 'form',
      written_at: capture.received_at,
      permission,
    },
  };
}

/** Of the request alone. */
function remarks({ display }: CaptureInput, { review, isCut }: ReadReview): Issue[] {
  if (display?.text === undefined) return [];
  if (review.text === undefined) return [{ path: 'display', message: 'there are no words to publish' }];
  return isCut
    ? [
        {
          path: 'display',
          message: 'the text was cut, so what is left was not agreed to: it is not published',
        },
      ]
    : [];
}

export const reviewErrand: Errand = {
  formName: 'review',
  at: '/v1/reviews',
  read(input) {
    const read = readReview(input);
    return {
      warnings: [...read.warnings, ...remarks(input, read)],
      add: (capture, site) => withReview(capture, site, input, read),
    };
  },
};
