// What consent tells about itself: whether a visitor could ask somebody.
import { z } from 'zod';
import type { Config } from '../../config.ts';
import { reading } from '../../ground/feature.ts';
import type { SiteDirectory } from '../../ground/site.ts';

interface House {
  config: Pick<Config, 'PRIVACY_CONTACT_EMAIL'>;
  sites: Pick<SiteDirectory, 'list'>;
}

const shape = z
  .object({
    contact: z.string().nullable().describe('PRIVACY_CONTACT_EMAIL'),
    sitesWithout: z.array(z.string()).describe('keys of sites whose notice names nobody to write to'),
  })
  .describe('whom visitors can ask about their data');

export const consentReadings = [
  reading<House, z.output<typeof shape>>({
    name: 'privacyContact',
    shape,
    async read({ config, sites }) {
      const contact = config.PRIVACY_CONTACT_EMAIL ?? null;
      const without = sites
        .list()
        .filter(({ settings }) => !contact && typeof settings.senderContact !== 'string');
      return { contact, sitesWithout: without.map(({ key }) => key) };
    },
    line: ({ sitesWithout }) =>
      sitesWithout.length === 0
        ? null
        : `NOBODY TO ASK about their data is named to visitors of ${sitesWithout.join(', ')}: set PRIVACY_CONTACT_EMAIL, or senderContact of the site`,
  }),
];
