// The page on which people see, correct, take along and delete what is held about them, in French; your-data-en.ts says the same.
import type { YourDataWords } from './your-data-en.ts';

export const yourDataFr: YourDataWords = {
  title: 'Vos données',
  link: 'Voir, corriger ou supprimer vos données',

  what: (who) =>
    `Voyez ce que ${who} garde à votre sujet, corrigez-le, emportez-le, retirez ce à quoi vous avez consenti, ou faites-le supprimer. C’est gratuit.`,
  why: 'Nous envoyons un lien à votre adresse, pour que personne ne puisse le faire à votre place.',
  yourAddress: 'Votre adresse courriel',
  sendLink: 'Envoyez-moi le lien',
  notAnAddress:
    'Cela ne ressemble pas à une adresse courriel. Il faut un @ et un domaine, comme dans ada@example.com.',
  asked: 'Regardez dans votre boîte de courriel',
  onItsWay: (minutes) =>
    `Si quelque chose est gardé au sujet de cette adresse, un courriel avec un lien arrive dans quelques minutes. Le lien fonctionne pendant ${minutes} minutes.`,
  noneCame:
    'Rien n’est arrivé ? Regardez parmi les courriels indésirables. S’il n’y est pas, rien n’est gardé au sujet de cette adresse ; au plus trois liens sont envoyés par heure.',
  noMail: 'Ce site n’envoie pas de liens par courriel.',
  writeTo: (contact) =>
    `Écrivez à ${contact}, depuis l’adresse en question. Vous aurez une réponse dans les 30 jours.`,
  askOwner: 'Demandez au propriétaire du site. Vous aurez une réponse dans les 30 jours.',
  somethingElse: (contact) => `Autre chose est inexact, ou vous avez une question ? Écrivez à ${contact}.`,

  over: 'Ce lien ne fonctionne plus',
  askAgain: 'Il est arrivé à son terme, ou n’a pas été copié en entier. Demandez-en un autre :',
  worksUntil: (time) =>
    `Cette page s’ouvre jusqu’à ${time} par le lien que nous vous avons envoyé. Fermez-la sur un ordinateur que d’autres utilisent.`,

  contact: 'Qui vous êtes pour nous',
  address: 'Adresse courriel',
  name: 'Nom',
  since: 'Depuis',
  verified: 'Adresse confirmée',
  first: 'Première page vue',
  imported: 'Apportée par nous d’une liste',
  noLead: 'Aucun contact n’est gardé sous cette adresse.',
  heldBack: 'Messages retenus comme suspects, supprimés après un mois',
  restricted: 'Vos données sont gardées et ne servent à rien.',

  correct: 'Corriger',
  correctName: 'Corriger le nom',
  newAddress: 'Nouvelle adresse courriel',
  correctAddress: 'Changer l’adresse',
  newAddressHow:
    'Nous envoyons un lien à la nouvelle adresse. Elle compte dès que vous l’ouvrez et la confirmez.',
  changed: 'C’est fait : le nom est corrigé.',
  mailedToNew:
    'Un courriel est parti à la nouvelle adresse. Rien ne change tant que son lien n’est pas confirmé.',
  tooMany: 'Trop de liens ont été demandés aujourd’hui. Essayez de nouveau demain, ou écrivez-nous.',
  sameAddress: 'C’est l’adresse que nous avons déjà.',

  agreed: 'Ce à quoi vous avez consenti',
  nothingAgreed: 'Rien.',
  words: 'En ces mots',
  status: {
    pending: 'demandé, pas confirmé',
    implied: 'pas demandé, permis par la loi pour un temps',
    express: 'consenti',
    withdrawn: 'retiré',
    expired: 'terminé',
  },
  sinceDay: (day) => `depuis le ${day}`,
  untilDay: (day) => `jusqu’au ${day}`,
  purpose: { email: 'des courriels pour vous', profile: 'garder vos visites avec votre adresse' },
  withdrawThese: 'Que retirez-vous ?',
  everything: 'Tout, aussi ce qui n’est pas nommé ici',
  withdraw: 'Retirer',
  tickOne: 'Rien n’a été retiré : cochez au moins une case.',
  withdrawn: 'C’est fait : retiré. Cela vaut dès maintenant.',
  history: 'Tout ce qui a été dit à ce sujet',
  action: {
    requested: 'demandé, pas encore confirmé',
    not_given: 'un formulaire sans consentement',
    granted: 'consenti',
    regranted: 'consenti de nouveau',
    renewed: 'renouvelé',
    reaffirmed: 'consenti à nouveau',
    confirmed: 'confirmé par courriel',
    withdrawn: 'retiré',
    expired: 'arrivé à son terme',
    imported: 'apporté d’une liste',
  },
  all: 'tout',

  sent: 'Ce que vous nous avez envoyé',
  nothingSent: 'Aucun formulaire.',
  answersGone: 'Ce que vous avez écrit est déjà supprimé.',
  form: 'Formulaire',

  shown: 'Ce qui peut être montré de vous à d’autres',
  named: 'Vous nous avez permis de vous nommer sur le site.',
  notNamed: 'Vous n’êtes nommé nulle part : vous ne l’avez pas permis, ou l’avez retiré.',
  reviewOf: (day) => `Votre avis du ${day}`,
  reviewText: 'Ce que vous avez écrit',
  rating: 'Étoiles',
  ofFive: (stars) => `${stars} sur 5`,
  reviewAbout: 'Au sujet de',
  mayBeShown: 'Peut-il être montré ?',
  may: {
    published: 'Oui : vous l’avez permis, et il est publié.',
    waiting: 'Oui : vous l’avez permis. Il n’est pas publié pour l’instant.',
    declined: 'Vous l’avez permis ; nous ne le publions pas.',
    none: 'Non : vous ne l’avez pas permis.',
    withdrawn: 'Non : vous l’avez retiré.',
  },
  heldToShow: 'Retenu comme suspect, avec la permission de montrer quelque chose de vous',
  takeBack: 'Ne montrez plus rien de moi',
  takeBackHow:
    'Dès maintenant, aucun de vos avis n’est publié et vous n’êtes nommé nulle part, même si quelque chose attend encore. Ce que vous avez écrit reste chez nous jusqu’à ce que vous le supprimiez ; ce que nous pouvons vous envoyer par courriel ne change pas.',
  takenBack: 'C’est fait : plus rien de vous n’est montré.',

  visits: 'Vos visites',
  pages: 'Pages vues',
  visitCount: 'Visites',
  browsers: 'Navigateurs rattachés à votre adresse',
  between: 'Du, au',
  notTied: 'Aucune visite n’est rattachée à votre adresse.',
  objected: 'Vous vous y êtes opposé : aucune visite n’est plus rattachée à votre adresse.',
  object: 'Ne me rattachez aucune visite',
  objectHow:
    'Ce qui rattache des navigateurs à votre adresse est défait pour de bon, et rien n’y est plus rattaché. Vos formulaires et vos consentements restent.',
  objectionTaken: 'C’est fait : aucune visite n’est plus rattachée à votre adresse.',

  bought: 'Ce qui s’en est suivi',
  conversion: {
    signup: 'inscription',
    activation: 'premier usage',
    purchase: 'achat',
    email_verify: 'adresse confirmée',
  },
  more: (count) => `et ${count} de plus, dans le fichier`,

  requests: 'Ce que vous nous avez demandé',
  noRequests: 'Rien jusqu’ici.',
  requestKind: {
    access: 'accès',
    erasure: 'suppression',
    correction: 'correction',
    objection: 'opposition',
    restriction: 'ne servir à rien',
    withdrawal: 'retrait',
    portability: 'une copie à emporter',
  },
  open: (day) => `en cours, réponse due le ${day}`,
  outcome: { done: 'fait', refused: 'refusé', dropped: 'abandonné' },

  take: 'Emporter',
  takeHow: 'Tout ce qui est gardé à votre sujet, dans un fichier que les programmes lisent (JSON).',
  download: 'Tout télécharger',

  delete: 'Supprimer',
  deleteHow: 'Tout est supprimé aussitôt, et ne peut pas revenir. Nous vous le demandons une fois de plus.',
  deleteAll: 'Supprimer tout à mon sujet…',
  sure: 'Tout supprimer ?',
  goes: 'Ce qui disparaît',
  goesList: [
    'votre adresse, votre nom et ce que vous avez écrit dans des formulaires ;',
    'le lien entre vos navigateurs et vous : vos visites restent dans les totaux, sans nom ;',
    'les mots et les détails de vos consentements, et les courriels en attente.',
  ],
  stays: 'Ce qui reste, et pourquoi',
  staysList: (years, months, logYears, backupDays) => [
    'que cette adresse a été supprimée, ou désabonnée, sous forme d’un hachage à clé que personne ne peut lire : pour qu’aucune vieille liste ni sauvegarde ne la ramène ;',
    `quand vous avez consenti ou retiré, en heures et en hachages, pendant ${years} ans : la loi nous en demande la preuve ;`,
    `que vous l’avez demandé, et quand, pendant ${months} mois, car une autorité peut demander le registre ; et que cela a été fait, pendant ${logYears} ans dans notre journal, sous un numéro ;`,
    `des copies dans les sauvegardes, pendant ${backupDays} jours au plus : celle qui est restaurée vous supprime de nouveau.`,
  ],
  otherTools:
    'Si votre adresse a été donnée à un autre service, par exemple celui qui envoie des infolettres, demandez-nous de l’y faire supprimer aussi.',
  yesDelete: 'Oui, tout supprimer',
  back: 'Non, retour à mes données',
  deleted: 'Tout est supprimé',
  certificate: (id, time) => `Supprimé le ${time}. Numéro de l’attestation : ${id}`,
  backupsUntil: (day) => `Les sauvegardes en gardent des copies jusqu’au ${day} au plus tard.`,
  nothingThere: 'Plus rien n’est gardé au sujet de cette adresse.',

  confirmAddress: 'Est-ce votre adresse ?',
  takesPlace: (who) => `${who} utilisera cette adresse pour vous, à la place de l’ancienne.`,
  yesAddress: 'Oui, utilisez cette adresse',
  addressChanged: 'Votre adresse est changée',
  addressTaken: 'Cette adresse est ici celle d’une autre personne',
  takenHow:
    'Rien n’a donc été changé. Pour supprimer les données gardées sous elle, demandez un lien à cette adresse.',
  askByNew: 'Les liens vers vos données iront désormais à la nouvelle adresse.',

  mailLook: {
    subject: (who) => `Vos données chez ${who}`,
    says: (who, minutes) =>
      `Ici vous voyez ce que ${who} garde à votre sujet, et pouvez le corriger, l’emporter ou le supprimer. Le lien fonctionne pendant ${minutes} minutes ; ne le donnez à personne :`,
    button: 'Ouvrir mes données',
    otherwise: 'Si vous n’avez rien demandé, ne faites rien : sans ce courriel, personne ne voit rien.',
  },
  mailAddress: {
    subject: (who) => `Votre nouvelle adresse chez ${who}`,
    says: (who, minutes) =>
      `Veuillez confirmer que ${who} doit utiliser cette adresse pour vous. Le lien fonctionne pendant ${minutes} minutes :`,
    button: 'Confirmer cette adresse',
    otherwise: 'Si vous n’avez rien demandé, ne faites rien : rien ne change.',
  },
  otherLanguage: 'In English',
};
