// What a visitor reads in the consent control of a page, in English and French.
import type { Language } from './language.ts';

export interface ControlWords {
  /** Name of the region, for who hears the page. */
  title: string;
  /** who  null: nobody said what the site is called */
  question: (who: string | null) => string;
  /** Beside it, where visitors are scored. */
  scored: string;
  /** Beside it, where the browser sends Global Privacy Control or Do Not Track. */
  signalled: string;
  off: string;
  measure: string;
  full: string;
}

const en: ControlWords = {
  title: 'Your privacy choice',
  question: (who) =>
    `${who ? `${who}: we` : 'We'} count which pages are read, and keep nothing in your browser for that. If you agree, we keep a random number in it, for 13 months at most, to know this browser again when it comes back. We remember your answer for 6 months; you can change it at any time.`,
  scored:
    'From the visits under that number a program works out how interested you seem, as a number from 0 to 100.',
  signalled: 'Your browser asks not to be recognised, so we do not.',
  off: 'Do not count me',
  measure: 'Count me without a number',
  full: 'Recognise this browser',
};

const fr: ControlWords = {
  title: 'Votre choix de confidentialité',
  question: (who) =>
    `${who ? `${who} : nous` : 'Nous'} comptons les pages lues, sans rien garder pour cela dans votre navigateur. Si vous l’acceptez, nous y gardons un numéro aléatoire, pendant 13 mois au plus, pour reconnaître ce navigateur quand il revient. Nous retenons votre réponse pendant 6 mois ; vous pouvez la changer en tout temps.`,
  scored:
    'À partir des visites sous ce numéro, un programme calcule l’intérêt que vous semblez avoir, en un nombre de 0 à 100.',
  signalled: 'Votre navigateur demande de ne pas être reconnu : nous ne le faisons pas.',
  off: 'Ne pas me compter',
  measure: 'Me compter sans numéro',
  full: 'Reconnaître ce navigateur',
};

export const controlWords = (language: Language): ControlWords => (language === 'fr' ? fr : en);
