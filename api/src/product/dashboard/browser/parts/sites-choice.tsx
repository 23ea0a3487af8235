// Which sites something is for: all of them, or those that are ticked.
import { sites, words } from '../lib/state.ts';

/** What was ticked, for the API; without any: all of the caller's. */
export const sitesOf = (values: Record<string, string>): { sites?: string[] } => {
  const ticked = sites.value.filter(({ siteId }) => values[`site-${siteId}`] === 'on');
  return ticked.length > 0 ? { sites: ticked.map(({ siteId }) => siteId) } : {};
};

/** Only sites where the reader may give anything away. */
export const ownSites = () => sites.value.filter(({ role }) => role === 'owner' || role === 'admin');

export function SitesChoice({ says, hint }: { says: string; hint: string }) {
  const own = ownSites();
  if (own.length < 2) return null;
  return (
    <fieldset>
      <legend>{says}</legend>
      <p class="hint">{hint}</p>
      <p class="ticks">
        {own.map(({ siteId, name }) => (
          <label key={siteId} class="check">
            <input type="checkbox" name={`site-${siteId}`} /> {name}
          </label>
        ))}
      </p>
    </fieldset>
  );
}

/** Names of sites by their ids; one that is not the reader's by its id. */
export const namesOf = (siteIds: readonly string[] | null): string =>
  siteIds === null
    ? words.value!.everySite
    : siteIds.map((id) => sites.value.find(({ siteId }) => siteId === id)?.name ?? id).join(', ');
