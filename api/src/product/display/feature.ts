// Who may be named on the site: a permission apart from that to mail, proven and taken back on its own.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { endDisplays } from './end.ts';
import { type DisplayNeeds, displayRoutes, WITHDRAW_DISPLAY } from './routes.ts';
import { displayTables } from './tables.ts';

export const display: Feature<
  Pick<DisplayNeeds, 'sites'> & {
    leads: Pick<DisplayNeeds, 'hashAddress' | 'withdrawDisplay' | 'languageOf'>;
  },
  { db: Pool }
> = {
  name: 'display',
  functions: [new URL('record_display.sql', import.meta.url)],
  tables: displayTables,
  tells: [WITHDRAW_DISPLAY],
  routes: ({ sites, leads: { hashAddress, withdrawDisplay, languageOf } }) =>
    displayRoutes({ sites, hashAddress, withdrawDisplay, languageOf }),
  endings: ({ db }) => ({ 'proof of display consent': endDisplays(db) }),
};
