// Whether a backup is of this installation; another's is put in its place only by someone who says so.
import { installationId, strangeness } from './installation.ts';
import type { Manifest } from './manifest.ts';
import { unsigned } from './signature.ts';
import { BackupError, connect, type Tools } from './tools.ts';

/** returns  null when the database cannot be asked, or has no name yet */
export async function ownName(ownerUrl: string): Promise<string | null> {
  let client: Awaited<ReturnType<typeof connect>>;
  try {
    client = await connect(ownerUrl);
  } catch {
    return null;
  }
  try {
    return await installationId(client);
  } finally {
    await client.end().catch(() => {});
  }
}

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
  if ((foreign || unproven) && !fromAnother)
    throw new BackupError(
      'foreign',
      `Nobody can say that this backup is of this installation: ${all.join('; ')}. If it is meant, say --from-another-installation.`,
    );
  return all;
}
