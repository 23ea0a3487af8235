// What the sites tell about themselves: whether they, and the copies of their data, are where they have to be.
import { z } from 'zod';
import type { Config } from '../../config.ts';
import { critical, reading } from '../../ground/feature.ts';
import type { Sites } from './recognise.ts';

export interface RegionHouse {
  config: Pick<
    Config,
    'DATA_REGION' | 'BACKUP_S3_URL' | 'BACKUP_S3_DATA_REGION' | 'BACKUP_SSH_URL' | 'BACKUP_SSH_DATA_REGION'
  >;
  sites: Pick<Sites, 'ids' | 'stopOf'>;
}

const shape = z
  .object({
    here: z.string().nullable().describe('DATA_REGION; null: nobody said'),
    elsewhere: z
      .int()
      .min(0)
      .describe('sites whose data has to be in another region: nothing is taken for them'),
    copies: z.array(z.object({ target: z.enum(['s3', 'ssh']), region: z.string().nullable() })),
  })
  .describe('where the data has to be, and is');

function copiesOf({ config }: RegionHouse): z.output<typeof shape>['copies'] {
  const { BACKUP_S3_URL, BACKUP_S3_DATA_REGION, BACKUP_SSH_URL, BACKUP_SSH_DATA_REGION } = config;
  return [
    ...(BACKUP_S3_URL ? [{ target: 's3' as const, region: BACKUP_S3_DATA_REGION ?? null }] : []),
    ...(BACKUP_SSH_URL ? [{ target: 'ssh' as const, region: BACKUP_SSH_DATA_REGION ?? null }] : []),
  ];
}

export const siteReadings = [
  reading<RegionHouse, z.output<typeof shape>>({
    name: 'region',
    shape,
    read: async (house) => ({
      here: house.config.DATA_REGION ?? null,
      elsewhere: house.sites.ids().filter((siteId) => house.sites.stopOf(siteId) === 'region').length,
      copies: copiesOf(house),
    }),
    line: ({ here, elsewhere, copies }) =>
      here === null
        ? null
        : [
            here,
            ...copies.map(({ target, region }) => `copies by ${target} in ${region}`),
            ...(elsewhere > 0 ? [`${elsewhere} SITES HAVE TO BE ELSEWHERE`] : []),
          ].join(', '),
    rules: [
      {
        id: 'region',
        minutes: 1,
        when: 'the data of a site has to be in another region than this installation is in',
        check: ({ here, elsewhere }) =>
          elsewhere > 0
            ? critical(
                `Nothing is taken for ${elsewhere} sites whose dataRegion is not ${here}: move them back, or allow it by PATCH /v1/sites/{siteId} {"dataRegion":"${here}"}`,
              )
            : null,
      },
    ],
  }),
];
