// GET /v1/choices/control: what the consent control shows when it opens, in the page's language.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Call } from '../../ground/http/call.ts';
import { pageSite } from '../../ground/http/fields.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { controlWords } from '../../ground/words/control.ts';
import { wordsOf } from '../../ground/words/words.ts';
import type { Ledger } from '../events/ledger.ts';
import { judgeOrigin } from '../events/origins.ts';
import { hearLink, spokenTo } from '../sites/language.ts';
import type { Sites } from '../sites/recognise.ts';

const STYLE = readFileSync(new URL('control.css', import.meta.url), 'utf8').replace(/\s*\n\s*/g, '');

const controlShape = z
  .object({
    lang: z.string(),
    title: z.string(),
    question: z.string(),
    privacy: z.object({ href: z.string(), textContent: z.string() }).describe('the link to the notice'),
    answers: z
      .object({ off: z.string(), measure: z.string(), full: z.string().optional() })
      .describe('by mode; none that a signal of the browser (GPC, DNT) has answered already'),
    style: z.string(),
  })
  .meta({ id: 'ConsentControl' });

export interface ControlNeeds {
  sites: Sites;
  ledger: Ledger;
  config: { PUBLIC_URL?: string | undefined };
}

export function controlRoute({ sites, ledger, config }: ControlNeeds): Route {
  return route({
    at: 'GET /v1/choices/control',
    id: 'showConsentControl',
    says: 'What the consent control of a page shows when it opens: words, answers, looks',
    tag: 'consent',
    who: 'anyone',
    of: 'page',
    takes: { as: 'query', shape: z.object({ propertyId: pageSite, lang: spokenTo.shape.lang }) },
    answers: { 200: controlShape },
    run({ lang }, call) {
      judgeOrigin({ sites, ledger }, call, call.site);
      hearLink(call, lang);
      return new Reply(200, shown(call, config.PUBLIC_URL ?? call.origin), {
        'Cache-Control': 'private, max-age=600',
        Vary: 'Accept-Language, DNT, Sec-GPC',
      });
    },
  });
}

function shown(call: Call, publicUrl: string): z.output<typeof controlShape> {
  const { language, site, privacySignal } = call;
  const { senderName, policyUrl, visitorScores } = site.settings;
  const words = controlWords(language);
  const { off, measure, full } = words;
  const notice = `${publicUrl.replace(/\/$/, '')}/v1/privacy?${new URLSearchParams({ lang: language, propertyId: site.key })}`;
  const question = words.question(typeof senderName === 'string' ? senderName : site.name || null);
  return {
    lang: language,
    title: words.title,
    question: [question, privacySignal ? words.signalled : visitorScores === true ? words.scored : '']
      .filter(Boolean)
      .join(' '),
    privacy: {
      href: typeof policyUrl === 'string' ? policyUrl : notice,
      textContent: wordsOf(language).privacyLink,
    },
    answers: privacySignal ? { off, measure } : { off, measure, full },
    style: STYLE,
  };
}
