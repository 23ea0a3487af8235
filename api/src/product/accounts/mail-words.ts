// What our mails to people who sign in say, in both languages: a subject, and a sentence or two.

export const MAILS = {
  invitation: {
    en: [
      'You are invited',
      'You are invited to look after a site here. The link works once, within seven days:',
    ],
    fr: [
      'Vous êtes invité',
      'Vous êtes invité à vous occuper d’un site ici. Le lien sert une fois, pendant sept jours :',
    ],
  },
  reset: {
    en: [
      'A new password',
      'Choose a new password here. The link works once, within ten minutes. If you did not ask for it, do nothing:',
    ],
    fr: [
      'Un nouveau mot de passe',
      'Choisissez un nouveau mot de passe ici. Le lien sert une fois, pendant dix minutes. Si vous ne l’avez pas demandé, ne faites rien :',
    ],
  },
  password_changed: {
    en: [
      'Your password was changed',
      'Your password was changed and other sessions were ended. If that was not you, choose a new one and tell an owner.',
    ],
    fr: [
      'Votre mot de passe a changé',
      'Votre mot de passe a changé et les autres sessions ont pris fin. Si ce n’était pas vous, choisissez-en un autre et avertissez un propriétaire.',
    ],
  },
  new_email: {
    en: [
      'Is this your address?',
      'Somebody wants to sign in here with this address from now on. Confirm it; the link works once, within an hour. If that was not you, do nothing:',
    ],
    fr: [
      'Est-ce votre adresse ?',
      'Quelqu’un veut désormais se connecter ici avec cette adresse. Confirmez-la ; le lien sert une fois, pendant une heure. Si ce n’était pas vous, ne faites rien :',
    ],
  },
  email_changed: {
    en: [
      'Your address was changed',
      'From now on you sign in here with another address. If that was not you, tell an owner.',
    ],
    fr: [
      'Votre adresse a changé',
      'Vous vous connectez désormais ici avec une autre adresse. Si ce n’était pas vous, avertissez un propriétaire.',
    ],
  },
  factor_added: {
    en: [
      'A second factor was added',
      'A passkey or an app for codes was added to your account. If that was not you, choose a new password and tell an owner.',
    ],
    fr: [
      'Un second facteur a été ajouté',
      'Une clé d’accès ou une application de codes a été ajoutée à votre compte. Si ce n’était pas vous, choisissez un nouveau mot de passe et avertissez un propriétaire.',
    ],
  },
  identity_added: {
    en: [
      'Another way to sign in',
      'From now on your account can be signed in to through the provider of your organisation. If that was not you, tell an owner.',
    ],
    fr: [
      'Une autre façon de se connecter',
      'Votre compte s’ouvre désormais aussi par le fournisseur de votre organisation. Si ce n’était pas vous, avertissez un propriétaire.',
    ],
  },
  factor_removed: {
    en: [
      'Your second factor was removed',
      'Your second factor was removed. If that was not you, choose a new password and tell an owner.',
    ],
    fr: [
      'Votre second facteur a été retiré',
      'Votre second facteur a été retiré. Si ce n’était pas vous, choisissez un nouveau mot de passe et avertissez un propriétaire.',
    ],
  },
  new_device: {
    en: [
      'A sign-in from a new browser',
      'Somebody signed in to your account with a browser that was not here before. If that was not you, choose a new password.',
    ],
    fr: [
      'Une connexion depuis un nouveau navigateur',
      'Quelqu’un s’est connecté à votre compte avec un navigateur qui n’était pas encore venu. Si ce n’était pas vous, choisissez un nouveau mot de passe.',
    ],
  },
  token_reused: {
    en: [
      'A program of yours was signed out',
      'A token of a program that signed in as you was used twice, so somebody may have copied it. Its session was ended.',
    ],
    fr: [
      'Un de vos programmes a été déconnecté',
      'Un jeton d’un programme connecté en votre nom a servi deux fois, quelqu’un l’a peut-être copié. Sa session a pris fin.',
    ],
  },
  failures: {
    en: [
      'Wrong passwords for your account',
      'Somebody tried five wrong passwords for your account within a quarter of an hour. Nobody got in.',
    ],
    fr: [
      'De mauvais mots de passe pour votre compte',
      'Quelqu’un a essayé cinq mauvais mots de passe pour votre compte en un quart d’heure. Personne n’est entré.',
    ],
  },
} as const;
export type MailKind = keyof typeof MAILS;
