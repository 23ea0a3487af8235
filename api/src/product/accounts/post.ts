// Mails to people who sign in: what happened to their account, and links. Sent at once, told by no queue: a mail that is not
// taken is said in the log, and the link can be asked for again.
import type { Transporter } from 'nodemailer';
import type { Config } from '../../config.ts';
import type { Db } from '../../ground/db/pool.ts';
import { MACHINE } from '../../ground/http/caller.ts';
import type { Log } from '../../ground/lib/log.ts';
import { makeTransport } from '../mails/transport.ts';
import { userEmail } from './pii.ts';
import type { User } from './queries.ts';
import type { Vault } from './vault.ts';

const MAILS = {
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

export interface Post {
  /** Whether mails can be sent at all. */
  isConfigured: boolean;
  /** Opens the address in the transaction; the mail leaves by itself, and its failure fails nothing. */
  tell(db: Db, user: User, kind: MailKind, link?: string): Promise<void>;
  /** To somebody without an account yet. */
  send(to: string, language: 'en' | 'fr', kind: MailKind, link?: string): void;
  close(): Promise<void>;
}

export function openPost(config: Config, vault: Vault | null, log: Log): Post {
  const { SMTP_URL: smtpUrl, MAIL_FROM: from, PUBLIC_URL: publicUrl } = config;
  const isConfigured = Boolean(smtpUrl && from && publicUrl);
  let transport: Promise<Transporter> | null = null;
  const underWay = new Set<Promise<void>>();

  async function deliver(to: string, language: 'en' | 'fr', kind: MailKind, link?: string): Promise<void> {
    const [subject, words] = MAILS[kind][language];
    const where = publicUrl ? new URL(publicUrl).host : '';
    transport ??= makeTransport(smtpUrl!);
    try {
      await (await transport).sendMail({
        from: from!,
        to,
        subject: `${subject} (${where})`,
        text: `${words}\n${link ? `\n${link}\n` : ''}\n-- \n${where}\n`,
      });
    } catch (error) {
      const { responseCode, code } = error as { responseCode?: number; code?: string };
      // codes only: the server's words quote the address
      log.warn({ kind, why: responseCode ?? code ?? 'unknown' }, 'a mail about an account was not taken');
    }
  }
  function send(to: string, language: 'en' | 'fr', kind: MailKind, link?: string): void {
    if (!isConfigured) return;
    const sending = deliver(to, language, kind, link).finally(() => underWay.delete(sending));
    underWay.add(sending);
  }
  return {
    isConfigured,
    send,
    async tell(db, user, kind, link) {
      if (!isConfigured || !vault) return;
      const to = await userEmail(db, vault, user, MACHINE);
      if (to) send(to, user.language, kind, link);
    },
    async close() {
      await Promise.all(underWay);
      if (transport) (await transport).close();
    },
  };
}
