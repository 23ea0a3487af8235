// What reports by mail, the mails that ask for them and their pages say, in both languages.
import type { Trust } from '../metrics/reports/trust.ts';

type Remark = Trust['remarks'][number]['code'];
const s = (n: number) => (n === 1 ? '' : 's');

const en = {
  // the mail that asks, and the pages behind its links
  askSubject: (who: string) => `Reports about ${who}?`,
  asks: (who: string) =>
    `Somebody who looks after ${who} wants to send you reports and warnings about it by mail. Say yes, and they come; each has a link that ends them.`,
  askButton: 'Yes, send them to me',
  askElse: 'If you do not want them, do nothing: no other mail comes.',
  pageTitle: 'Reports by mail',
  pageSays: (who: string) => `Press the button, and reports and warnings about ${who} come to you by mail.`,
  welcome: 'You get them from now on',
  welcomeSays: 'Each mail has a link that ends them.',
  leaveTitle: 'No more of these mails',
  leaveSays: (who: string) => `Press the button, and no more reports and warnings about ${who} come.`,
  leaveButton: 'End them',
  left: 'Ended',
  leftSays: 'No more reports and warnings about this site come to you.',
  broken: 'This link is not complete, or is no longer known. Open it again from the mail.',
  // the report
  title: { week: 'Your week', month: 'Your month' },
  subject: (who: string, days: string, visitors: string, leads: string) =>
    `${who}, ${days}: ${visitors} visitors, ${leads} leads`,
  days: (from: string, to: string) => `${from} to ${to}`,
  zone: (zone: string) => `days of ${zone}`,
  numbers: {
    uniqueVisitors: 'Visitors',
    sessions: 'Sessions',
    totalPageViews: 'Page views',
    leads: 'Leads',
    leadCaptureRate: 'Visitors who became leads',
    bounceRate: 'Sessions of one page',
    costPerLead: 'Cost per lead',
  },
  before: (change: string) => `${change} against the time before`,
  wasBefore: (n: string) => `${n} before`,
  panels: { sources: 'Sources', campaigns: 'Campaigns', referrers: 'Referrers', pages: 'Pages' },
  ofPages: 'views',
  ofSources: 'sessions',
  ofLeads: 'leads',
  none: 'none',
  look: 'Look at it',
  leave: 'No more of these mails',
  quiet: 'Nothing happened in these days. Is the line still on your pages?',
  trust: {
    exact: 'Exact: every event of these days was counted, once, and the ledger adds up.',
    remarks: 'With remarks:',
    not_reliable: 'Not to be relied on:',
  },
  remarks: {
    ledger_off: (n: string) => `the ledger is off by ${n} events`,
    service_away: (n: string) => `no service for ${n} minutes, more than a tenth of the time`,
    minutes_without_service: (n: string) => `no service for ${n} minutes`,
    day_visitors: (n: string) => `${n} visitors without an id of their own count once a day`,
    absences_forgotten: () => 'who stayed away for long counts as somebody else',
    not_counted_yet: (n: string, of: number) => `${n} day${s(of)} not counted yet`,
    sealed_days: (n: string, of: number) => `${n} day${s(of)} without raw events`,
    days_in_other_zone: (n: string, of: number) => `${n} day${s(of)} counted in another time zone`,
    late_events: (n: string) => `${n} events came late`,
    imported_days: (n: string, of: number) => `${n} day${s(of)} counted by another tool, in no number here`,
  } satisfies Record<Remark, (n: string, of: number) => string> as Partial<
    Record<string, (n: string, of: number) => string>
  >,
};
export type ReportWords = typeof en;

const fr: ReportWords = {
  askSubject: (who) => `Des rapports sur ${who} ?`,
  asks: (who) =>
    `Une personne qui s’occupe de ${who} souhaite vous envoyer par courriel des rapports et des avertissements à son sujet. Dites oui et vous les recevrez ; chacun porte un lien qui y met fin.`,
  askButton: 'Oui, je veux les recevoir',
  askElse: 'Si vous n’en voulez pas, ne faites rien : aucun autre courriel ne viendra.',
  pageTitle: 'Rapports par courriel',
  pageSays: (who) =>
    `Appuyez sur le bouton pour recevoir par courriel les rapports et avertissements sur ${who}.`,
  welcome: 'Vous les recevrez désormais',
  welcomeSays: 'Chaque courriel porte un lien qui y met fin.',
  leaveTitle: 'Ne plus recevoir ces courriels',
  leaveSays: (who) =>
    `Appuyez sur le bouton et vous ne recevrez plus de rapports ni d’avertissements sur ${who}.`,
  leaveButton: 'Y mettre fin',
  left: 'C’est terminé',
  leftSays: 'Vous ne recevrez plus de rapports ni d’avertissements sur ce site.',
  broken: 'Ce lien est incomplet ou n’est plus connu. Ouvrez-le de nouveau depuis le courriel.',
  title: { week: 'Votre semaine', month: 'Votre mois' },
  subject: (who, days, visitors, leads) => `${who}, ${days} : ${visitors} visiteurs, ${leads} contacts`,
  days: (from, to) => `du ${from} au ${to}`,
  zone: (zone) => `jours de ${zone}`,
  numbers: {
    uniqueVisitors: 'Visiteurs',
    sessions: 'Sessions',
    totalPageViews: 'Pages vues',
    leads: 'Contacts',
    leadCaptureRate: 'Visiteurs devenus contacts',
    bounceRate: 'Sessions d’une page',
    costPerLead: 'Coût par contact',
  },
  before: (change) => `${change} par rapport à la période précédente`,
  wasBefore: (n) => `${n} auparavant`,
  panels: { sources: 'Sources', campaigns: 'Campagnes', referrers: 'Sites référents', pages: 'Pages' },
  ofPages: 'vues',
  ofSources: 'sessions',
  ofLeads: 'contacts',
  none: 'aucun',
  look: 'Voir le tableau de bord',
  leave: 'Ne plus recevoir ces courriels',
  quiet: 'Il ne s’est rien passé ces jours-là. La ligne est-elle toujours dans vos pages ?',
  trust: {
    exact: 'Exact : chaque événement de ces jours a été compté une fois, et le registre est juste.',
    remarks: 'Avec remarques :',
    not_reliable: 'Peu fiable :',
  },
  remarks: {
    ledger_off: (n) => `le registre diffère de ${n} événements`,
    service_away: (n) => `pas de service pendant ${n} minutes, plus d’un dixième du temps`,
    minutes_without_service: (n) => `pas de service pendant ${n} minutes`,
    day_visitors: (n) => `${n} visiteurs sans identifiant propre comptent une fois par jour`,
    absences_forgotten: () => 'qui s’est absenté longtemps compte comme une autre personne',
    not_counted_yet: (n, of) => `${n} jour${of > 1 ? 's' : ''} pas encore compté${of > 1 ? 's' : ''}`,
    sealed_days: (n, of) => `${n} jour${of > 1 ? 's' : ''} sans événements bruts`,
    days_in_other_zone: (n, of) =>
      `${n} jour${of > 1 ? 's' : ''} compté${of > 1 ? 's' : ''} dans un autre fuseau`,
    late_events: (n) => `${n} événements arrivés en retard`,
    imported_days: (n, of) =>
      `${n} jour${of > 1 ? 's' : ''} compté${of > 1 ? 's' : ''} par un autre outil, dans aucun chiffre ici`,
  },
};

export const reportWords = { en, fr };
