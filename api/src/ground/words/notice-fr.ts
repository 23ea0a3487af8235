// What a visitor is told about their data, in French; notice-en.ts says the same.
import type { NoticeFacts, NoticeSection } from './notice-en.ts';

const TIED_FR: Record<NoticeFacts['linking'], string> = {
  off: 'De vos visites, seul le point de départ de celle par laquelle vous êtes venu est gardé avec une adresse que vous laissez.',
  consent:
    'Dès que vous laissez votre adresse, vos visites avec ce navigateur sont gardées avec elle seulement si vous y consentez ; sinon, seul le point de départ de la visite l’est.',
  form: 'Dès que vous laissez votre adresse, vos visites avec ce navigateur sont gardées avec votre envoi, pour savoir ce qui vous a mené ici.',
  on: 'Dès que vous laissez votre adresse, vos visites avec ce navigateur sont gardées avec votre envoi, pour savoir ce qui vous a mené ici.',
};

export const noticeFr = (f: NoticeFacts): { title: string; sections: NoticeSection[] } => ({
  title: 'Ce que nous faisons de vos données',
  sections: [
    {
      title: 'Qui est responsable',
      lines: [
        [f.who, f.address].filter(Boolean).join(', '),
        ...(f.officer ? [`Responsable de la protection des renseignements personnels : ${f.officer}`] : []),
        f.contact ? `Écrivez à : ${f.contact}` : 'Aucune adresse n’a encore été donnée pour les questions.',
        ...(f.policyUrl
          ? [`La politique complète${f.policyVersion ? ` (${f.policyVersion})` : ''} : ${f.policyUrl}`]
          : []),
      ],
    },
    {
      title: 'À quelles fins',
      lines: [
        'Pour compter quelles pages sont lues et d’où viennent les visiteurs.',
        'Pour répondre à ce que vous nous envoyez par un formulaire.',
        ...(f.purchases ? ['Pour savoir ce qui est acheté, et ce qui y a mené.'] : []),
        ...(f.reviews || f.namesShown
          ? [
              `Pour montrer aux autres visiteurs ${f.reviews ? 'ce que disent les clients' : 'ce qui se passe ici'}${f.namesShown ? ', avec votre prénom et votre lieu seulement si vous avez consenti exactement à cela' : ''}.`,
            ]
          : []),
        `Pour vous écrire, si vous y avez consenti${f.doubleOptIn ? ' et l’avez confirmé par le lien que nous vous avons envoyé' : ''}, ou aussi longtemps que la loi le permet après que vous nous avez écrit ou acheté quelque chose.`,
        `${TIED_FR[f.linking]}${f.guessedLinks ? ' Des visites de la même adresse et du même navigateur dans les minutes d’avant peuvent y être jointes par supposition ; aucun courriel et aucun total n’en dépend.' : ''}`,
      ],
    },
    {
      title: 'Quelles données',
      lines: [
        'D’une visite : les pages, l’heure, la page ou la campagne d’où vous venez, le genre d’appareil, de navigateur et de système, le pays lorsqu’il est recherché, et la vitesse de chargement des pages. Votre adresse réseau et le nom de votre navigateur ne sont gardés que sous forme de hachages à clé, jamais tels quels.',
        'Sans identifiant dans votre navigateur, vous êtes un visiteur d’un jour : reconnu par un hachage de votre adresse et de votre navigateur avec un sel aléatoire qui vit deux jours puis est supprimé, de sorte que personne ne peut vous reconnaître un autre jour ou sur un autre site.',
        'Un identifiant n’est gardé dans votre navigateur que si la page est réglée ainsi et si vous y avez consenti là où la loi le veut. Nous n’utilisons aucun témoin (cookie). Si la page vous pose la question, votre réponse est gardée dans votre navigateur et, sans votre adresse, chez nous : ce que vous avez choisi, quand, et les mots que vous avez lus.',
        ...(f.scored
          ? [
              'Des visites sous un identifiant que vous avez accepté : un programme calcule l’intérêt que vous semblez avoir, en un nombre de 0 à 100, à partir des 30 derniers jours. Ce nombre disparaît avec votre accord, et si vous vous y opposez.',
            ]
          : []),
        'D’un formulaire : ce que vous avez écrit, quand et sur quelle page, et à quoi vous avez consenti, mot pour mot.',
        ...(f.purchases
          ? [
              'D’un achat, que notre boutique transmet à ce logiciel : votre adresse, de quoi il s’agit, quand, le montant, quels produits et le pays, et s’il a été annulé ou remboursé.',
            ]
          : []),
        ...(f.reviews
          ? [
              'D’un avis : votre adresse, ce que vous avez écrit, vos étoiles, ce que vous dites avoir reçu en échange ou votre lien avec nous, et si vous pouvez être montré avec lui.',
            ]
          : []),
      ],
    },
    {
      title: 'Qui les reçoit',
      lines: [
        'Personne ne les achète ni ne les reçoit pour de la publicité. Nous faisons fonctionner nous-mêmes le logiciel qui les garde.',
        ...(f.namesShown || f.reviews
          ? [
              `Les visiteurs de notre site voient ${[f.namesShown ? 'votre prénom et votre lieu' : '', f.reviews ? 'votre avis' : ''].filter(Boolean).join(', et ')} si vous avez consenti exactement à cela, jusqu’à ce que vous le retiriez.`,
            ]
          : []),
        ...(f.personalWebhooks
          ? [
              'D’autres systèmes à nous, comme notre liste de clients, sont avertis aussitôt lorsque vous laissez votre adresse, consentez, partez ou achetez quelque chose, avec votre adresse. Demandez-nous lesquels.',
            ]
          : []),
        ...(f.mailServer ? [`Notre service de courriel (${f.mailServer}) vous achemine les courriels.`] : []),
        ...(f.challenge
          ? [
              'Cloudflare Turnstile, qui tient les robots à l’écart de nos formulaires, voit votre adresse réseau lorsque vous en envoyez un.',
            ]
          : []),
        ...(f.backupsElsewhere
          ? [
              f.backupsElsewhere === 'encrypted'
                ? 'Des copies de nos sauvegardes sont chez un fournisseur de stockage, chiffrées de sorte que nous seuls pouvons les lire.'
                : 'Des copies de nos sauvegardes sont chez un fournisseur de stockage.',
            ]
          : []),
        ...(f.periods.archiveMonths
          ? [
              'Ce qui a été fait lors de visites plus anciennes est chez un fournisseur de stockage, sans adresses.',
            ]
          : []),
      ],
    },
    {
      title: 'Où, et pendant combien de temps',
      lines: [
        f.storedIn ? `Elles sont conservées à : ${f.storedIn}` : 'Demandez-nous où elles sont conservées.',
        `Les visites : ${f.periods.eventDays} jours${f.periods.archiveMonths ? `, et ce qui y a été fait, sans adresses, ${f.periods.archiveMonths} mois dans des archives` : ''} ; les chiffres qui ne nomment personne : ${f.periods.rollupMonths} mois.`,
        `Ce que vous avez écrit dans un formulaire : ${f.periods.payloadMonths} mois ; ce qui est retenu comme suspect : ${f.periods.quarantineDays} jours. Votre adresse : aussi longtemps que vous y consentez ; jusqu’à ${f.periods.lapsedLeadDays} jours après la fin du délai de la loi ; si vous n’avez jamais consenti, ${f.periods.pendingLeadMonths} mois après votre dernier signe ; si vous avez demandé un courriel de confirmation sans confirmer, ${f.periods.unconfirmedLeadDays} jours ; si vous êtes parti, ${f.periods.withdrawnLeadYears} ans, pour que personne ne vous écrive de nouveau ; ensuite sous forme de hachage.`,
        `La preuve de ce que vous avez accepté ou retiré : ${f.periods.consentRecordYears} ans après la dernière ; après un effacement, seulement des hachages et des heures. Votre réponse à la question sur votre navigateur : ${f.periods.browserChoiceYears} ans après sa fin. Qu’une adresse s’est désabonnée, sous forme de hachage : ${f.periods.unsubscribedYears} ans.${f.reviews ? ` Un avis : ${f.periods.reviewYears} ans.` : ''} Les sauvegardes : ${f.periods.backupDays} jours.`,
      ],
    },
    {
      title: 'Vos droits',
      lines: [
        'Vous pouvez demander ce que nous avons à votre sujet et en recevoir copie, le faire corriger ou effacer, vous y opposer ou en faire limiter l’usage, et retirer votre consentement à tout moment ; chaque courriel a un lien pour cela. C’est gratuit et sans désavantage pour vous.',
        ...(f.mailServer
          ? ['Presque tout, vous pouvez le faire vous-même, aussitôt, par le lien au bas de cette page.']
          : []),
        f.contact
          ? `Écrivez à ${f.contact} ; vous aurez une réponse dans les 30 jours.`
          : 'Demandez au propriétaire du site ; vous aurez une réponse dans les 30 jours.',
        'Les signaux de votre navigateur (Global Privacy Control, Do Not Track) sont respectés : votre visite est alors comptée, mais rattachée à rien.',
      ],
    },
    {
      title: 'Si vous n’êtes pas satisfait',
      lines: [
        'Vous pouvez porter plainte au Commissariat à la protection de la vie privée du Canada (priv.gc.ca), au Québec à la Commission d’accès à l’information (cai.gouv.qc.ca), dans l’Union européenne à l’autorité de protection des données de votre lieu de résidence.',
      ],
    },
  ],
});
