// The notice, for machines and for people, and what this host says to Global Privacy Control.
import { z } from 'zod';
import { propertyId } from '../../ground/http/fields.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { hearLink, spokenTo } from '../sites/language.ts';
import { noticePage, type PrivacyNeeds, privacyFacts, privacyShape } from './privacy.ts';

/** The day from which the signal is honoured as it is today. */
const GPC_SINCE = '2026-11-21';

export function privacyRoutes(needs: PrivacyNeeds): Route[] {
  const common = { tag: 'consent', who: 'anyone' } as const;
  return [
    route({
      ...common,
      at: 'GET /v1/privacy',
      id: 'showPrivacy',
      says: 'The notice: who, what for, which data, who gets it, where, how long, which rights; a page for who asks for HTML',
      of: 'page',
      takes: {
        as: 'query',
        shape: z.object({ propertyId: propertyId.optional(), lang: spokenTo.shape.lang }),
      },
      answers: { 200: privacyShape },
      async run({ lang }, call) {
        hearLink(call, lang);
        if (call.readsPages) return noticePage(call, needs);
        return new Reply(200, await privacyFacts(call, needs), { Vary: 'Accept' });
      },
    }),
    route({
      ...common,
      at: 'GET /.well-known/gpc.json',
      id: 'describeGpc',
      says: 'That Global Privacy Control is honoured here',
      answers: {
        200: z
          .object({ gpc: z.literal(true), lastUpdate: z.iso.date() })
          .describe('The GPC support resource'),
      },
      run: () =>
        new Reply(200, { gpc: true, lastUpdate: GPC_SINCE }, { 'Cache-Control': 'public, max-age=86400' }),
    }),
  ];
}
