// Les avertissements par courriel, en français.
import type { AlertsWords } from '../en/alerts.ts';

export const alerts: AlertsWords = {
  title: 'Avertissements par courriel',
  says: 'Chaque heure est comparée à la même heure des quatre dernières semaines, sans les robots. Un courriel au plus en six heures, à qui a d’abord dit oui par courriel.',
  kind: 'Quand',
  kinds: {
    spike: 'Plus de visites que d’habitude',
    drop: 'Moins de visites que d’habitude',
    silence: 'Aucune visite',
    lead_drought: 'Aucun contact en un jour ou une semaine',
    goal_zero: 'Un événement manque pendant un jour',
  },
  sensitivity: 'À quel point',
  sensitivities: { low: 'Seulement si c’est net', normal: 'Habituel', high: 'Tôt' },
  goal: 'Nom de l’événement',
  recipients: 'À qui',
  recipientsHint: 'Des adresses, séparées par une virgule',
  make: 'Avertir',
  end: 'Y mettre fin',
  told: (when) => `dernier avertissement ${when}`,
  none: 'Aucun pour l’instant.',
};
