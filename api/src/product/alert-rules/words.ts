// What a warning says, in both languages: what is, what is usual, where it comes from, what to do.
import type { Finding, Kind } from './judge.ts';

interface Told extends Finding {
  hours: string;
  source: string | null;
  goal: string | null;
}
interface AlertWords {
  subject: Record<Kind, (who: string) => string>;
  says: Record<Kind, (told: Told) => string>;
  button: string;
  otherwise: string;
  leave: string;
}

const en: AlertWords = {
  subject: {
    spike: (who) => `${who}: more visits than usual`,
    drop: (who) => `${who}: fewer visits than usual`,
    silence: (who) => `${who}: no visits`,
    lead_drought: (who) => `${who}: no leads`,
    goal_zero: (who) => `${who}: an event is missing`,
  },
  says: {
    spike: ({ now, usual, hours, source }) =>
      `${now} visits ${hours}, where ${usual} are usual at this hour.${source ? ` Most of the rise comes from: ${source}.` : ''}`,
    drop: ({ now, usual, hours, source }) =>
      `${now} visits ${hours}, where ${usual} are usual at this hour.${source ? ` Most of the fall is of: ${source}.` : ''}`,
    silence: ({ usual, hours, over }) =>
      `No visit ${over === 'hour' ? hours : 'yesterday'}, where ${usual} are usual. Is the page up, and the line still on it?`,
    lead_drought: ({ usual, over }) =>
      `No lead in the last ${over === 'week' ? 'seven days' : '24 hours'}, where ${usual} are usual. Try the form: does it still send?`,
    goal_zero: ({ usual, goal }) =>
      `No “${goal}” yesterday, where ${usual} are usual on that day of the week. Does the page still send it?`,
  },
  button: 'Look at it',
  otherwise: 'Robots are left out. The same rule warns again after six hours at the earliest.',
  leave: 'No more of these mails',
};

const fr: AlertWords = {
  subject: {
    spike: (who) => `${who} : plus de visites que d’habitude`,
    drop: (who) => `${who} : moins de visites que d’habitude`,
    silence: (who) => `${who} : aucune visite`,
    lead_drought: (who) => `${who} : aucun contact`,
    goal_zero: (who) => `${who} : un événement manque`,
  },
  says: {
    spike: ({ now, usual, hours, source }) =>
      `${now} visites ${hours}, contre ${usual} d’habitude à cette heure.${source ? ` La hausse vient surtout de : ${source}.` : ''}`,
    drop: ({ now, usual, hours, source }) =>
      `${now} visites ${hours}, contre ${usual} d’habitude à cette heure.${source ? ` La baisse touche surtout : ${source}.` : ''}`,
    silence: ({ usual, hours, over }) =>
      `Aucune visite ${over === 'hour' ? hours : 'hier'}, contre ${usual} d’habitude. La page répond-elle, la ligne y est-elle toujours ?`,
    lead_drought: ({ usual, over }) =>
      `Aucun contact ces ${over === 'week' ? 'sept derniers jours' : '24 dernières heures'}, contre ${usual} d’habitude. Essayez le formulaire : part-il encore ?`,
    goal_zero: ({ usual, goal }) =>
      `Aucun « ${goal} » hier, contre ${usual} d’habitude ce jour de la semaine. La page l’envoie-t-elle encore ?`,
  },
  button: 'Voir le tableau de bord',
  otherwise: 'Les robots sont exclus. La même règle n’avertit pas de nouveau avant six heures.',
  leave: 'Ne plus recevoir ces courriels',
};

export const alertWords = { en, fr };

const HOUR_MS = 3_600_000;
/** e.g. "from 14:00 to 15:00". */
export function hoursOf(language: 'en' | 'fr', hour: Date, timeZone: string): string {
  const at = new Intl.DateTimeFormat(language === 'fr' ? 'fr-CA' : 'en-CA', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const [from, to] = [at.format(hour), at.format(new Date(hour.getTime() + HOUR_MS))];
  return language === 'fr' ? `de ${from} à ${to}` : `from ${from} to ${to}`;
}
