// What people read on our pages and in our mails, in French; en.ts says the same.
import type { Words } from './en.ts';

export const fr: Words = {
  privacyLink: 'Ce que nous faisons de vos données',

  itRuns: 'En service',
  whatItIs:
    'Compte les visites d’un site web et reçoit ses formulaires, sur une machine du propriétaire de ce site.',
  forOwner:
    'Vous en êtes propriétaire ? Sur la machine, ou depuis votre ordinateur, scripts/status montre son état et scripts/admin-key affiche la clé.',
  allRoutes: 'Tout ce qui peut être demandé',

  thankYou: 'Merci',
  received: 'Nous avons bien reçu votre message.',
  closePage: 'Vous pouvez fermer cette page.',

  checkAddress: 'Veuillez vérifier votre adresse courriel',
  notAnAddress: (typed) => `« ${typed} » ne ressemble pas à une adresse courriel.`,
  addressMissing: 'L’adresse courriel manque.',
  nothingLost: 'Rien d’autre n’est perdu : corrigez-la et envoyez de nouveau.',
  emailAddress: 'Adresse courriel',
  sendAgain: 'Envoyer de nouveau',

  unsubscribe: 'Se désabonner',
  named: 'Vous avez permis à ce site de montrer votre nom à ses visiteurs.',
  stopNaming: 'Ne plus montrer mon nom',
  notNamedAnyMore: 'Si votre nom était montré sur le site, il ne l’est plus.',
  pressToUnsubscribe: (who) =>
    who === null
      ? 'Appuyez sur le bouton, et nous ne vous enverrons plus de courriel.'
      : `Appuyez sur le bouton, et ${who} ne vous enverra plus de courriel.`,
  whatEnds: 'Qu’est-ce qui doit prendre fin ?',
  everythingEnds: 'Tout ce à quoi j’ai consenti ici',
  onlyMail: 'Seulement les courriels pour moi',
  onlyPurpose: (purpose) => `Seulement « ${purpose} »`,
  onlyThatEnded:
    'Seul cela a pris fin. Le reste de vos consentements demeure. Vous pouvez fermer cette page.',
  unsubscribed: 'Vous êtes désabonné',
  noMoreMail: 'Vous ne recevrez plus de courriel de notre part. Vous pouvez fermer cette page.',
  done: 'C’est fait',
  noMailIfKnown: 'Si nous avons cette adresse, elle ne recevra plus de courriel de notre part.',
  linkBroken: 'Ce lien ne fonctionne pas',
  addressIncomplete:
    'L’adresse de cette page est incomplète. Ouvrez de nouveau le lien du courriel, ou copiez-le en entier.',

  confirmTitle: 'Confirmez votre adresse',
  wouldLikeToWrite: (who) => `${who} aimerait vous écrire à l’adresse où ce courriel est arrivé.`,
  yesConfirm: 'Oui, je confirme',
  openAgain: (days) =>
    `Ouvrez de nouveau le lien du courriel, ou copiez-le en entier. Il fonctionne pendant ${days} jours.`,
  confirmed: 'Votre adresse est confirmée. Vous pouvez fermer cette page.',
  confirmationArrived: 'Votre confirmation est arrivée',
  confirmationSafe:
    'Elle est en sécurité, et nous l’inscrirons dans quelques minutes : une partie de notre service est absente en ce moment. Vous n’avez rien d’autre à faire, et pouvez fermer cette page.',
  shouldItBeOld: 'Si le lien était trop ancien, vous pourrez remplir le formulaire de nouveau.',
  linkTooOld: 'Ce lien est trop ancien',
  fillInAgain: 'Remplissez le formulaire de nouveau, et nous vous en enverrons un autre.',

  mailSubject: (who) => `Veuillez confirmer votre adresse pour ${who}`,
  mailAsks: (who) => `Veuillez confirmer que ${who} peut vous écrire à cette adresse :`,
  mailButton: 'Confirmer mon adresse',
  mailElse: 'Si vous n’avez rien demandé, ne faites rien : vous ne recevrez pas d’autre courriel.',

  staffLinkEnded: 'Il a pris fin, ou un autre le remplace. Demandez à qui vous l’a donné.',
  thisSite: 'ce site',
  visitsApart: 'Vos visites sont comptées à part',
  visitsCount: 'Vos visites comptent',
  apartUntil: (site, day) =>
    `Les visites à ${site} depuis ce réseau ne sont dans aucun de ses chiffres${day ? `, jusqu’au ${day}` : ', car son propriétaire a inscrit l’adresse'}.`,
  countAgain: 'Compter de nouveau mes visites',
  workHere: (site, days) =>
    `Travaillez-vous à ${site} ? Appuyez sur le bouton, et les visites depuis ce réseau, celles de tous ceux qui le partagent, restent hors de ses chiffres pendant ${days} jours.`,
  keepApart: 'Mettre mes visites à part',

  waitAMoment: 'Un instant, s’il vous plaît',
  notSent: 'L’envoi n’a pas abouti',
  notDone: 'La demande n’a pas abouti',
  openLinkAgain: 'Ouvrez de nouveau le lien du courriel.',
  goBack: 'Revenez en arrière avec le bouton de votre navigateur : ce que vous avez écrit y est encore.',
  backToPage: 'Retour à la page',
  request: (id) => `Demande ${id}`,
  refusal: {
    invalid_request: 'Certains champs ne sont pas comme ils devraient être.',
    malformed_json: 'La demande n’a pas pu être lue.',
    unauthorized: 'Il faut une clé pour cela.',
    forbidden: 'Cela n’est pas permis ici.',
    proof_required: 'Prouvez de nouveau qui vous êtes, puis réessayez.',
    second_factor_required: 'Ce rôle demande un second facteur.',
    origin_not_allowed: 'Cette page n’est pas de celles dont le site reçoit des envois.',
    not_found: 'Il n’y a rien à cette adresse.',
    method_not_allowed: 'Cette adresse ne se demande pas ainsi.',
    conflict: 'Cela est déjà en cours, ou existe déjà.',
    precondition_failed: 'Cela a été changé entre-temps. Regardez-le de nouveau.',
    gone: 'La personne concernée ne permet plus que cela soit affiché.',
    unbacked_claim: 'Un nombre que rien ne compte ne peut pas être affiché.',
    invalid_signature: 'La signature n’est pas celle attendue.',
    region_mismatch: 'Les données de ce site doivent être gardées ailleurs.',
    plan_limit_reached: 'Le forfait de ce site n’en permet pas davantage.',
    payload_too_large: 'L’envoi est trop volumineux.',
    unsupported_media_type: 'L’envoi n’est pas dans une forme que nous lisons.',
    rate_limited: 'Trop de demandes en peu de temps. Essayez de nouveau dans une minute.',
    daily_limit: 'Ce site a reçu aujourd’hui tout ce qu’il peut prendre. Essayez de nouveau demain.',
    unknown_notification: 'Ce site n’a pas de notification de ce nom.',
    proof_cap: 'Cela a déjà été compté assez souvent aujourd’hui.',
    internal_error: 'Une erreur s’est produite de notre côté. Le numéro ci-dessous nous aide à la trouver.',
    unavailable: 'Une partie de notre service est absente en ce moment. Essayez de nouveau dans un instant.',
    admin_auth_not_configured: 'Cette installation n’a pas encore de clé d’administration.',
  },
};
