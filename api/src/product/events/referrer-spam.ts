// Referrers that nobody came from: made up so that whoever reads the report visits them. Known ones mark a bot.
// No maintained list is in the registries (looked November 2026), so a small one of names that have been spamming for years.
import { remembered } from '../../ground/lib/remember.ts';
import { registrableDomain } from './source.ts';

const SPAMMERS = new Set(
  `semalt.com semaltmedia.com buttons-for-website.com buttons-for-your-website.com best-seo-offer.com best-seo-solution.com
  darodar.com econom.co ilovevitaly.com ilovevitaly.ru ilovevitaly.co priceg.com hulfingtonpost.com blackhatworth.com
  o-o-6-o-o.com o-o-8-o-o.com cenoval.ru cenokos.ru smailik.org iskalko.ru bestwebsitesawards.com luxup.ru lumb.co
  social-buttons.com simple-share-buttons.com share-buttons.xyz free-share-buttons.com free-social-buttons.com
  get-free-traffic-now.com get-free-social-traffic.com event-tracking.com free-floating-buttons.com floating-share-buttons.com
  success-seo.com videos-for-your-business.com traffic2money.com traffic2cash.xyz trafficmonetize.org trafficmonetizer.org
  100dollars-seo.com seo-platform.com googlsucks.com guardlink.org site-auditor.online 4webmasters.org 7makemoneyonline.com
  anticrawler.org theguardlan.com howtostopreferralspam.eu rankings-analytics.com keywords-monitoring-success.com
  keywords-monitoring-your-success.com monetizationking.net qualitymarketzone.com rank-checker.online website-analyzer.info
  web-revenue.xyz webmonetizer.net cookie-law-enforcement-aa.xyz eu-cookie-law.info law-enforcement-aa.xyz law-enforcement-bb.xyz
  pizza-tycoon.com pizza-imperia.com copyrightclaims.org trafers.com bottraffic.live bottraffic.biz bot-traffic.icu
  bottraffic.me bottraffic143.xyz bottraffic329.xyz trafficbot.life trafficbot.live traffic-bot.net news-bot.xyz
  seo-2-0.com seoexperimenty.ru dailyrank.net hundejo.com savetubevideo.com kambasoft.com
  srecorder.com torture.ml softomix.com softomix.net vodkoved.ru fbdownloader.com descargar-musica-gratis.net
  backgroundpictures.net embedle.com 1-99seo.com 1-free-share-buttons.com
  99-reasons-for-seo.com abcdefh.xyz adviceforum.info alltopnews.xyz
  amanda-porn.ga baladur.ru budilneg.xyz buketeg.xyz bukleteg.xyz brothers-smaller.ru
  dominateforex.ml erot.co forum69.info fix-website-errors.com generalporn.org germes-trans.com
  hosting-tracker.com in-bigdata.com intelligentcommentarysoftware.com jjbabskoe.ru kabbalah-red-bracelets.com
  makemoneyonline.com masterseek.com meendo-free-traffic.ga minegam.com nardulan.com
  onlinetvseries.me pornhub-forum.ga pornhub-ru.com powitania.pl
  sashagreyblog.ga screentoolkit.com sharebutton.net sharebutton.to shoppingmiracles.co.uk slftsdybbg.ru socialseet.ru
  superiends.org torontoplumbinggroup.com video--production.com webmaster-traffic.com youporn-forum.ga
  youporn-forum.uni.me`.split(/\s+/),
);

/** By registrable domain, so that neither a subdomain escapes nor a name that only contains one is caught. */
export const isReferrerSpam = remembered((referrer) => {
  const host = /^https?:\/\/([^/:]+)/i.exec(referrer)?.[1];
  return host !== undefined && SPAMMERS.has(registrableDomain(host));
});
