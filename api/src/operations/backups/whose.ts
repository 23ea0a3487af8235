// Whether a backup is of this installation; another's is put in its place only by someone who says so.
import { installationId, strangeness } from './installation.ts';
import type { Manifest } from './manifest.ts';
import { unsigned } from './signature.ts';
import { BackupError, connect, type Tools } from './tools.ts';

type Client = Awaited<ReturnType<typeof connect>>;

/** otherwise  when the database cannot be asked */
async function asked<T>(
  ownerUrl: string,
  question: (client: Client) => Promise<T>,
  otherwise: T,
): Promise<T> {
  let client: Client;
  try {
    client = await connect(ownerUrl);
  } catch {
    return otherwise;
  }
  try {
    return await question(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/** returns  null when the database cannot be asked, or has no name yet */
export const ownName = (ownerUrl: string): Promise<string | null> => asked(ownerUrl, installationId, null);

/** Whether nobody and nothing would be replaced: the database was just made, after its volumes were lost. */
const isEmpty = (ownerUrl: string): Promise<boolean> =>
  asked(
    ownerUrl,
    async (client) => {
      if (!(await installationId(client))) return true;
      const { rows } = await client.query<{ empty: boolean }>(
        `select not exists (select from leads) and not exists (select from event_keys) as empty
         from (select set_config('marketing.sites', coalesce((select string_agg(site_id::text, ',') from sites), ''), false)) seen`,
      );
      return rows[0]!.empty;
    },
    false,
  );

/**
 * fromAnother  whoever restores has said that it may be another installation's
 * returns      what will not match all the same, in sentences
 * throws       foreign, naming what will not match and how to say that it is meant
 */
export async function refuseForeign(
  { ownerUrl, pepper }: Pick<Tools, 'ownerUrl'> & { pepper: string },
  manifest: Manifest,
  fromAnother: boolean,
): Promise<string[]> {
  const unproven = unsigned(manifest, pepper);
  const { foreign, says } = strangeness(manifest.installation, { id: await ownName(ownerUrl), pepper });
  const all = [...(unproven ? [unproven] : []), ...says];
  // signed with these very secrets, and nothing here that it would replace: this machine, whose database was lost
  const isLost = foreign && !unproven && (await isEmpty(ownerUrl));
  if (((foreign && !isLost) || unproven) && !fromAnother)
    throw new BackupError(
      'foreign',
      `Nobody can say that this backup is of this installation: ${all.join('; ')}. If it is meant, say --from-another-installation.`,
    );
  return all;
}
