// Les importations d’autres outils, en français.
import type { ImportsWords } from '../en/imports.ts';

export const imports: ImportsWords = {
  title: 'D’un autre outil',
  says: 'Les jours qu’un autre outil a comptés avant celui-ci figurent à côté de vos propres chiffres et ne s’y ajoutent jamais. Les fichiers sont lus ici, dans le navigateur ; seules des sommes par jour sont envoyées.',
  open: 'Apporter les jours d’un autre outil',
  before: (day) =>
    `Les jours avant le ${day} peuvent être apportés ; à partir de celui-ci, ce site compte lui-même.`,
  how: 'Où se trouve le fichier',
  steps: {
    plausible:
      'Plausible : réglages du site, Imports & exports, Export data. Le courriel apporte un zip ; choisissez-le tel quel. Ses jours sont ceux du fuseau du site là-bas.',
    umami:
      'Umami Cloud : Settings, Data, Export. Sur votre propre serveur, l’exportation de la page n’a pas de jours ; prenez plutôt : \\copy (select e.*, s.browser, s.os, s.device, s.country from website_event e join session s using (session_id)) to website_event.csv csv header',
    ga4: 'Google Analytics 4 : des réponses de la Data API (properties.runReport) enregistrées en JSON : date seule, puis date avec sessionSource, sessionCampaignName, pagePath, landingPage, deviceCategory, browser, operatingSystem, countryId ou eventName ; mesures totalUsers, sessions, screenPageViews, engagedSessions, userEngagementDuration, eventCount. Ses utilisateurs sont des estimations.',
    matomo:
      'Matomo : Live.getLastVisitsDetails de l’API en CSV (flat=1, convertToUnicode=0), mois par mois. Adresses, coordonnées et identifiants ne sont pas lus.',
    goatcounter: 'GoatCounter : Settings, Export, CSV.',
    fathom: 'Fathom : Settings, Exports : pages vues et événements en CSV.',
  },
  files: 'Fichiers',
  filesHint: 'CSV, JSON, un zip ou un .gz ; plusieurs à la fois',
  zone: 'Fuseau de ses jours',
  zoneHint: 'là où le fichier contient des instants, ils sont rangés dans les jours de ce fuseau',
  read: 'Lire',
  reading: 'Lecture…',
  found: (tool, days) => `${tool} : ${days} jours`,
  span: (first, last) => `du ${first} au ${last}`,
  visitorDays: 'Visiteurs de chaque jour, additionnés',
  visits: 'Visites',
  pageviews: 'Pages vues',
  events: 'Événements',
  rows: 'Lignes à envoyer',
  leftOut: 'Laissé de côté',
  why: {
    own_days: 'jours que ce site compte lui-même',
    rare_names: 'noms au-delà des cent plus grands d’un jour',
    no_day: 'lignes sans jour',
    broken_rows: 'lignes avec trop peu de cellules',
    robots: 'robots',
    unknown_files: 'fichiers d’une autre sorte',
    not_in_file: 'lignes que la réponse de Google ne contient pas : demandez-les avec offset',
  },
  bring: 'Les apporter',
  sending: (done, all) => `${done} sur ${all} envoyées`,
  cannot: {
    nothing: 'Aucun de ces fichiers n’est une exportation connue ici.',
    mixed: 'Ce sont les exportations de deux outils. Apportez-en une à la fois.',
    no_days:
      'Cette exportation d’Umami contient des sommes sans jours. Prenez la table elle-même, comme dit ci-dessus.',
    zip: 'Ce zip ne peut être lu. Décompressez-le et choisissez les fichiers qu’il contient.',
    zip64:
      'Ce zip est trop grand pour être lu ici. Décompressez-le et choisissez les fichiers qu’il contient.',
    empty: 'Il ne contient aucun jour qui puisse être apporté.',
  },
  list: 'Déjà apporté',
  unfinished: 'pas terminé, affiché nulle part',
  undo: 'Annuler',
  none: 'Rien pour l’instant.',
  back: 'Réglages',
};
