// Visits one by one, in French (Canada).
import type { SessionsWords } from '../en/sessions.ts';

export const sessions: SessionsWords = {
  says: 'Les lignes derrière les nombres : chaque visite de ces jours, les plus récentes d’abord. Personne n’y est nommé.',
  none: 'Aucune visite ces jours-là, ou leurs lignes sont parties : les événements bruts ne se gardent qu’un temps.',
  began: 'Commencée',
  pages: 'D’une page à l’autre',
  source: 'Depuis',
  with: 'Avec',
  looks: 'Pages',
  used: 'Active',
  converted: 'But atteint',
  one: (when) => `Visite du ${when}`,
  back: 'Visites',
  landing: 'Première page',
  exit: 'Dernière page',
  referrer: 'Venue de',
  campaign: 'Campagne',
  lasted: 'Du début à la fin',
  steps: 'Ce qui s’est passé',
  looked: (path) => `A regardé ${path}`,
  did: (what, path) => `${what} sur ${path}`,
  usedFor: (long) => `active ${long}`,
  cut: 'Seuls les 500 premiers sont montrés.',
};
