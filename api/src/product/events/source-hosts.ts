// Hosts, apps and names that send people and that the maintained list lacks, or has in another class than a marketer means.
// By host or registrable domain, never by substring; each class with the reason where it is not plain.
import type { Source } from './source.ts';

type Class = Extract<Source, 'organic_search' | 'social' | 'email' | 'ai_assistant' | 'display' | 'referral'>;

const words = (text: string) => text.trim().split(/\s+/);

/** These hosts and everything below them. */
const DOMAINS: Record<Class, string[]> = {
  // No maintained list of assistants exists in the registries (looked November 2026); the ones that send people.
  ai_assistant: words(`
    chatgpt.com chat.openai.com perplexity.ai claude.ai gemini.google.com bard.google.com notebooklm.google.com
    copilot.microsoft.com copilot.cloud.microsoft m365.cloud.microsoft chat.mistral.ai chat.deepseek.com grok.com x.ai
    meta.ai you.com phind.com poe.com pi.ai kimi.com kimi.moonshot.cn chat.qwen.ai tongyi.aliyun.com doubao.com
    yiyan.baidu.com huggingface.co/chat andisearch.com iask.ai komo.ai felo.ai genspark.ai lechat.mistral.ai duck.ai
    character.ai manus.im z.ai openevidence.com consensus.app elicit.com`),
  social: words(`
    tiktok.com douyin.com threads.net threads.com bsky.app bsky.social mastodon.social mastodon.online mstdn.social
    mas.to fosstodon.org hachyderm.io infosec.exchange pawoo.net mstdn.jp truthsocial.com gab.com parler.com
    snapchat.com discord.com discordapp.com discord.gg telegram.org t.me web.telegram.org whatsapp.com wa.me
    messenger.com m.me fb.com fb.watch instagr.am pin.it redd.it reddit.com lemmy.world kbin.social tumblr.com
    twitch.tv dailymotion.com bilibili.com kuaishou.com xiaohongshu.com rednote.com zhihu.com weibo.cn weixin.qq.com
    line.me kakao.com band.us naver.me medium.com substack.com producthunt.com lobste.rs news.ycombinator.com
    nextdoor.com nextdoor.ca meetup.com goodreads.com letterboxd.com strava.com clubhouse.com bereal.com viber.com
    zalo.me sharechat.com kooapp.com likee.video tieba.baidu.com vk.ru ok.ru dzen.ru pikabu.ru habr.com wykop.pl
    skype.com teams.live.com deviantart.com behance.net dribbble.com pixiv.net soundcloud.com linktr.ee bio.link beacons.ai`),
  email: words(`
    outlook.office.com outlook.office365.com outlook.live.com outlook.cloud.microsoft mail.proton.me mail.protonmail.com
    deref-gmx.net deref-gmx.com deref-gmx.at deref-gmx.ch deref-web.de deref-mail.com deref-1und1.de navigator.gmx.net
    navigator.web.de navigator-bs.gmx.net navigator-lxa.web.de bap.navigator.gmx.net webmail.gmx.net app.fastmail.com
    www.fastmail.com mail.tutanota.com app.tuta.com icloud.com/mail mail.zoho.eu mail.zoho.in mail.aol.co.uk
    app.hey.com mail.superhuman.com mail.missiveapp.com mail.yahoo.ca mail.yahoo.fr mail.yahoo.de mail.yandex.com.tr
    webmail.bell.net webmail.rogers.com webmail.shaw.ca webmail.telus.net webmail.videotron.com mail.mailbox.org
    mailbox.org email.t-online.de webmail.orange.fr webmail.laposte.net webmail.free.fr zimbra.free.fr messageriepro3.orange.fr
    webmail.sfr.fr mail.sfr.fr poczta.onet.pl poczta.wp.pl poczta.o2.pl poczta.interia.pl webmail.libero.it mail.libero.it
    webmail.xs4all.nl webmail.ziggo.nl webmail.kpnmail.nl email.seznam.cz email.cz roundcube.net webmail.hostinger.com
    privateemail.com mail.ionos.com mail.ionos.de email.ionos.com webmail.ovh.net webmail.mail.ovh.net webmail.gandi.net
    link.mail.bloombergbusiness.com list-manage.com mailchi.mp sendgrid.net mjt.lu mandrillapp.com klclick.com
    klclick1.com exacttarget.com constantcontact.com rs6.net cmail19.com cmail20.com createsend.com sendibt2.com
    sendibt3.com sendinblue.com brevo.com hubspotemail.net mailerlite.com convertkit-mail.com beehiiv.com`),
  display:
    words(`googlesyndication.com doubleclick.net criteo.com criteo.net outbrain.com taboola.com teads.tv
    amazon-adsystem.com adsrvr.org mgid.com revcontent.com smartadserver.com adnxs.com media.net propellerads.com`),
  // code, shops, films and directories: places that link, not networks, and not search of the web
  referral:
    words(`github.com stackoverflow.com stackexchange.com sourceforge.net gitlab.com bitbucket.org vimeo.com flickr.com
    wikipedia.org digg.com alexa.com kununu.com marktplaats.nl pricerunner.co.uk meinestadt.de softonic.com rpmfind.net
    idealo.de idealo.fr shopping.google.com ebay.com ebay.ca ebay.de ebay.co.uk ebay.fr etsy.com aliexpress.com
    walmart.com bestbuy.com bestbuy.ca shopify.com shop.app temu.com shein.com zalando.de bol.com allegro.pl
    mercadolibre.com rakuten.co.jp flipkart.com login.live.com paper.li getpocket.com`),
  organic_search: words(`
    kagi.com startpage.com qwant.com ecosia.org swisscows.com swisscows.ch mojeek.com mojeek.co.uk metager.org metager.de presearch.com
    presearch.org search.marginalia.nu yep.com searx.be priv.au search.brave.com duckduckgo.com ya.ru
    yandex.ru yandex.com yandex.com.tr yandex.kz yandex.by yandex.uz yandex.az yandex.com.am yandex.com.ge yandex.ua yandex.fr yandex.eu
    search.seznam.cz search.naver.com m.search.naver.com naver.com seznam.cz coccoc.com petalsearch.com neeva.com gibiru.com
    oscobo.com lukol.com yippy.com search.lilo.org lilo.org search.disconnect.me stract.com rightdao.com etools.ch
    baidu.com sogou.com so.com sm.cn haosou.com toutiao.com/search so.toutiao.com search.daum.net nate.com
    search.goo.ne.jp search.walla.co.il search.virgilio.it search.centrum.cz search.sapo.pt search.rambler.ru
    search.aol.com search.yahoo.com search.yahoo.co.jp r.search.yahoo.com search.becovi.com
    ask.com dogpile.com info.com search.com webcrawler.com search.gmx.net suche.gmx.net suche.web.de suche.t-online.de
    search.earthlink.net entireweb.com exalead.com boardreader.com karmasearch.org ekoru.org givewater.com tusksearch.com
    search.lycos.com`),
};
// A shop on each country's domain.
const AMAZON = words(
  'com ca co.uk de fr it es nl se pl com.be com.au co.jp in com.br com.mx ae sa sg com.tr eg',
);
DOMAINS.referral.push(...AMAZON.map((country) => `amazon.${country}`));

/** Hosts and packages as they stand, nothing below them. */
const APPS: Record<Class, string[]> = {
  organic_search:
    words(`com.google.android.googlequicksearchbox com.google.android.apps.searchlite com.microsoft.bing
    com.duckduckgo.mobile.android com.ecosia.android com.brave.browser com.yandex.searchapp ru.yandex.searchplugin
    com.baidu.searchbox com.nhn.android.search com.qwant.liberty`),
  social:
    words(`com.facebook.katana com.facebook.lite com.facebook.orca com.facebook.mlite com.instagram.android
    com.instagram.lite com.instagram.barcelona com.twitter.android com.twitter.android.lite com.linkedin.android
    com.pinterest com.pinterest.twa com.reddit.frontpage com.snapchat.android com.zhiliaoapp.musically
    com.ss.android.ugc.trill com.ss.android.ugc.aweme com.whatsapp com.whatsapp.w4b org.telegram.messenger
    org.thunderdog.challegram com.tencent.mm com.tencent.mobileqq jp.naver.line.android com.kakao.talk
    com.vkontakte.android ru.ok.android com.discord com.tumblr com.quora.android tv.twitch.android.app
    com.google.android.youtube com.nextdoor com.viber.voip com.zing.zalo xyz.blueskyweb.app org.joinmastodon.android
    com.medium.reader com.sina.weibo com.xingin.xhs com.bereal.ft com.laurencedawson.reddit_sync`),
  email:
    words(`com.google.android.gm com.google.android.gm.lite com.microsoft.office.outlook ch.protonmail.android
    com.yahoo.mobile.client.android.mail com.samsung.android.email.provider me.bluemail.mail com.fsck.k9 net.thunderbird.android
    de.gmx.mobile.android.mail de.web.mobile.android.mail com.fastmail.app ru.mail.mailapp ru.yandex.mail
    com.readdle.spark com.easilydo.mail com.basecamp.hey de.tutao.tutanota com.aol.mobile.aolapp com.mail.mobile.android.mail
    com.my.mail com.android.email com.huawei.email com.zoho.mail eu.faircode.email`),
  ai_assistant:
    words(`com.openai.chatgpt com.anthropic.claude ai.perplexity.app.android com.google.android.apps.bard
    com.microsoft.copilot com.deepseek.chat ai.mistral.chat ai.x.grok com.facebook.stella com.quora.poe com.moonshot.kimichat`),
  display: [],
  referral: words(
    'com.slack com.microsoft.teams com.google.android.apps.magazines com.google.android.apps.maps',
  ),
};

// Hosts that the maintained list sells as search, told by their first name because each country has one (news.google.ca).
const NOT_SEARCH = new Set(words('news video zhidao msnbc dizionario webcache editors one'));

const NAMES: [Class, string][] = [
  ...words(
    'x fb ig facebook_ads fb_ads meta instagram_ads tiktok threads bluesky snapchat telegram discord',
  ).map((name) => ['social', name] as [Class, string]),
  ...words('twitter youtube linkedin pinterest reddit whatsapp messenger mastodon wechat quora vk').map(
    (name) => ['social', name] as [Class, string],
  ),
  ...words(
    'newsletter mailchimp klaviyo brevo sendinblue mailerlite mailjet sendgrid hubspot-email email mail e-mail gmail outlook constantcontact activecampaign convertkit beehiiv campaignmonitor infolettre courriel',
  ).map((name) => ['email', name] as [Class, string]),
  ...words('google bing duckduckgo ecosia kagi startpage brave qwant naver seznam baidu yandex yahoo').map(
    (name) => ['organic_search', name] as [Class, string],
  ),
  ...words('chatgpt openai perplexity claude gemini copilot deepseek').map(
    (name) => ['ai_assistant', name] as [Class, string],
  ),
  ...words('gdn doubleclick taboola outbrain criteo adroll teads dv360 rtbhouse stackadapt').map(
    (name) => ['display', name] as [Class, string],
  ),
  // sold by the maintained list as search or networks
  ...words('amazon github stackoverflow vimeo').map((name) => ['referral', name] as [Class, string]),
];

const flat = (table: Record<Class, string[]>): Map<string, Class> =>
  new Map(
    Object.entries(table).flatMap(([kind, hosts]) =>
      hosts.filter((host) => !host.includes('/')).map((host) => [host, kind as Class] as const),
    ),
  );

/** The class of a host and, unless it is search, of everything below it. */
export const ownClassOfDomain = flat(DOMAINS);
/** Of a host or an app's package, and of nothing else. */
export const ownClassOfApp = flat(APPS);
/** Of a campaign's utm_source. */
export const ownClassOfName = new Map(NAMES.map(([kind, name]) => [name, kind]));

/** Whether a host that is listed as search (news.google.com) is another service of that company. */
export const isOtherService = (host: string): boolean => NOT_SEARCH.has(host.slice(0, host.indexOf('.')));
