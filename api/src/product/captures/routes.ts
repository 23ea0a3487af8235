// What visitors send to become leads: POST /v1/leads/capture, as JSON and as a plain HTML form, and what a form needs around it.
import { z } from 'zod';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { hear, spokenTo } from '../sites/language.ts';
import { thankYouPage } from './pages.ts';
import { CAPTURE_BYTES_MAX, type CaptureNeeds, FILES_BYTES_MAX, receive } from './receive.ts';
import { capturedShape, captureInput, formInput } from './schema.ts';
import { makeFormToken } from './spam.ts';

const CAPTURE = { at: 'POST /v1/leads/capture', tells: 'form' } as const;
const SHOW_THANK_YOU = { at: 'GET /v1/leads/thank-you', tells: 'link' } as const;
export const captureTells = [CAPTURE, SHOW_THANK_YOU];

export function captureRoutes(needs: CaptureNeeds): Route[] {
  const { sites } = needs;
  const common = { tag: 'captures', who: 'anyone' } as const;
  return [
    route({
      ...common,
      ...CAPTURE,
      id: 'captureLead',
      says: 'Takes a lead, from a script or from a plain HTML form; the answer leaves after the commit',
      takes: {
        as: ['json', 'form'],
        bytesMax: CAPTURE_BYTES_MAX,
        filesBytesMax: FILES_BYTES_MAX,
        documents: captureInput,
        formDocuments: formInput.describe(
          'the same fields flat: utm_source …, payload[x] or any other name, consent[text] …, redirect; with Accept: application/json the answer is JSON',
        ),
      },
      bucket: 'capture',
      counts: 'capture',
      answers: {
        200: capturedShape,
        303: { says: 'A form: on to the page it names on its own site, or to our thank-you page' },
        400: { says: 'A form whose address is mistyped: a page to mend it', type: 'text/html' },
      },
      run: (_body, call) => receive(needs, call),
    }),
    route({
      ...common,
      ...SHOW_THANK_YOU,
      id: 'showThankYou',
      says: 'Where a form without a page of its own ends',
      takes: { as: 'query', shape: spokenTo },
      answers: { 200: { says: 'Thanks', type: 'text/html' } },
      run(wanted, call) {
        hear(call, sites, wanted);
        return thankYouPage(call);
      },
    }),
    route({
      ...common,
      at: 'GET /v1/leads/form-token',
      id: 'makeFormToken',
      says: 'A signed time for the hidden field formToken: forms sent in haste are looked at first',
      answers: { 200: z.object({ formToken: z.string() }) },
      run: () =>
        new Reply(
          200,
          { formToken: makeFormToken(needs.settings.pepper, Date.now()) },
          { 'Cache-Control': 'no-store' },
        ),
    }),
  ];
}
