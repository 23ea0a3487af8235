// Les rapports par courriel, en français.
import type { ReportsWords } from '../en/reports.ts';

export const reports: ReportsWords = {
  title: 'Rapports par courriel',
  says: 'Chaque semaine ou chaque mois, les chiffres de ce site, à qui a d’abord dit oui par courriel. Chaque courriel porte un lien qui y met fin.',
  every: 'Fréquence',
  week: 'Chaque semaine',
  month: 'Le premier du mois',
  weekday: 'Le',
  weekdays: ['lundi', 'mardi', 'mercredi', 'jeudi', 'vendredi', 'samedi', 'dimanche'],
  hour: 'À',
  hours: (zone) => `heures de ${zone}`,
  language: 'En',
  recipients: 'À qui',
  recipientsHint: 'Des adresses, séparées par une virgule',
  make: 'Envoyer des rapports',
  end: 'Y mettre fin',
  asked: 'a reçu la demande',
  confirmed: 'a dit oui',
  left: 'n’en veut plus',
  sent: (when) => `dernier envoi ${when}`,
  failed: (why) => `refusé : ${why}`,
  none: 'Aucun pour l’instant.',
};
