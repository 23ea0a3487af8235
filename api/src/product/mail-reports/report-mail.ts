// A report as a mail: text and HTML with the same words, no image, nothing from elsewhere, no address of anybody.
import { type Html, html } from '../../ground/http/html.ts';
import { noticePath } from '../../ground/http/page.ts';
import type { Site } from '../../ground/site.ts';
import type { Language } from '../../ground/words/language.ts';
import { wordsOf } from '../../ground/words/words.ts';
import { linkToken } from '../consent/link.ts';
import { baseOf } from '../mails/letter.ts';
import type { MailSettings } from '../mails/mail.ts';
import type { KeptPage } from '../metrics/reports/page.ts';
import type { Trust } from '../metrics/reports/trust.ts';
import { senderLine, senderOf } from '../sites/sender.ts';
import { type ReportWords, reportWords } from './words.ts';

const ROWS = 5;
const PANELS = ['sources', 'campaigns', 'referrers', 'pages'] as const;
const MARKS = { exact: '●', remarks: '◐', not_reliable: '○' };

/** A visitor may have put an address into the name of a page or a campaign: it does not travel. */
const discreet = (name: string): string => name.replace(/[^\s/?&=]+(@|%40)[^\s/?&=]+/gi, '…');

interface Line {
  name: string;
  value: string;
  beside: string;
}
interface Panel {
  title: string;
  rows: { name: string; value: string }[];
}

function formatsOf(language: Language) {
  const locale = language === 'fr' ? 'fr-CA' : 'en-CA';
  const numbers = (options: Intl.NumberFormatOptions) => new Intl.NumberFormat(locale, options);
  const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone: 'UTC' });
  return {
    count: (n: number) => numbers({}).format(n),
    share: (n: number | null) =>
      n === null ? '–' : numbers({ style: 'percent', maximumFractionDigits: 1 }).format(n),
    change: (n: number) =>
      numbers({ style: 'percent', maximumFractionDigits: 0, signDisplay: 'exceptZero' }).format(n),
    money: (n: number, currency: string) => numbers({ style: 'currency', currency }).format(n),
    day: (text: string) => day.format(new Date(`${text}T00:00:00Z`)),
  };
}
type Formats = ReturnType<typeof formatsOf>;

function linesOf(page: KeptPage, w: ReportWords, f: Formats): Line[] {
  const { metrics, totals } = page.summary;
  const line = (name: keyof typeof w.numbers & keyof typeof metrics, say: (n: number) => string): Line => {
    const { value, delta } = metrics[name];
    return {
      name: w.numbers[name],
      value: value === null ? '–' : say(value),
      beside: delta === null ? '' : w.before(f.change(delta)),
    };
  };
  const leadsBefore = page.seriesBefore.reduce((all, { newLeads }) => all + (newLeads ?? 0), 0);
  const isComparable = metrics.sessions.delta !== null;
  const [currency] = Object.keys(totals.costPerLeadByCurrency);
  return [
    line('uniqueVisitors', f.count),
    line('sessions', f.count),
    line('totalPageViews', f.count),
    {
      name: w.numbers.leads,
      value: f.count(totals.leads ?? 0),
      beside: isComparable ? w.wasBefore(f.count(leadsBefore)) : '',
    },
    line('leadCaptureRate', f.share),
    line('bounceRate', f.share),
    ...(metrics.costPerLead.value !== null && currency
      ? [line('costPerLead', (n) => f.money(n, currency))]
      : []),
  ];
}

function panelsOf({ breakdowns }: KeptPage, w: ReportWords, f: Formats): Panel[] {
  return PANELS.flatMap((by) => {
    const rows = breakdowns[by].rows.slice(0, ROWS).filter(({ name }) => name !== '');
    if (rows.length === 0) return [];
    return [
      {
        title: w.panels[by],
        rows: rows.map(({ name, sessions, pageViews, leads }) => {
          const counted =
            by === 'pages'
              ? `${f.count(pageViews ?? 0)} ${w.ofPages}`
              : `${f.count(sessions ?? 0)} ${w.ofSources}`;
          return {
            name: discreet(name),
            value: leads ? `${counted}, ${f.count(leads)} ${w.ofLeads}` : counted,
          };
        }),
      },
    ];
  });
}

export function trustLine({ level, remarks }: Trust, w: ReportWords, count: (n: number) => string): string {
  if (level === 'exact') return `${MARKS.exact} ${w.trust.exact}`;
  const said = remarks.map(({ code, n }) => w.remarks[code]?.(count(n), n) ?? code);
  return `${MARKS[level]} ${w.trust[level]} ${said.join('; ')}.`;
}

export interface Copy {
  every: 'week' | 'month';
  language: Language;
  firstDay: string;
  lastDay: string;
  linkKey: string;
}

/** What nodemailer takes, save sender and recipient. */
export function reportMail(site: Site, copy: Copy, page: KeptPage, settings: MailSettings) {
  const w = reportWords[copy.language];
  const f = formatsOf(copy.language);
  const sender = senderOf(site, settings.senderDefaults);
  const base = baseOf(settings);
  const days = w.days(f.day(copy.firstDay), f.day(copy.lastDay));
  const leave = `${base}/v1/report-mails/${linkToken(site.siteId, copy.linkKey)}/leave`;
  const isQuiet = page.summary.metrics.sessions.value === 0 && page.summary.totals.leads === 0;
  const whole: Shown = {
    language: copy.language,
    title: `${site.name || site.key} · ${w.title[copy.every]}`,
    days: `${days} · ${w.zone(page.summary.timeZone)}`,
    lines: linesOf(page, w, f),
    panels: panelsOf(page, w, f),
    quiet: isQuiet ? w.quiet : null,
    trust: trustLine(page.trust, w, f.count),
    link: {
      words: w.look,
      url: `${base}/app/${encodeURIComponent(site.key)}/overview?range=${copy.firstDay}..${copy.lastDay}`,
    },
    foot: senderLine(sender),
    feet: [
      { words: w.leave, url: `${leave}?lang=${copy.language}` },
      {
        words: wordsOf(copy.language).privacyLink,
        url: `${base}${noticePath({ language: copy.language, noticeOf: site.key })}`,
      },
    ],
  };
  const { metrics, totals } = page.summary;
  return {
    subject: w.subject(
      site.name || site.key,
      days,
      f.count(metrics.uniqueVisitors.value ?? 0),
      f.count(totals.leads ?? 0),
    ),
    text: textOf(whole),
    html: String(htmlOf(whole)),
    headers: {
      'Content-Language': copy.language,
      'Auto-Submitted': 'auto-generated',
      'List-Unsubscribe': `<${leave}>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    },
  };
}

interface Shown {
  language: Language;
  title: string;
  days: string;
  lines: Line[];
  panels: Panel[];
  quiet: string | null;
  trust: string;
  link: { words: string; url: string };
  foot: string;
  feet: { words: string; url: string }[];
}

function textOf({ title, days, lines, panels, quiet, trust, link, foot, feet }: Shown): string {
  const blocks = [
    `${title}\n${days}`,
    ...(quiet ? [quiet] : []),
    lines.map(({ name, value, beside }) => `${name}: ${value}${beside && ` (${beside})`}`).join('\n'),
    ...panels.map(
      ({ title: head, rows }) =>
        `${head}\n${rows.map(({ name, value }) => `- ${name}: ${value}`).join('\n')}`,
    ),
    trust,
    `${link.words}: ${link.url}`,
    `--\n${foot}\n${feet.map(({ words, url }) => `${words}: ${url}`).join('\n')}`,
  ];
  return `${blocks.join('\n\n')}\n`;
}

const SOFT = 'color:#5b6673';
const CELL = 'padding:6px 0;border-bottom:1px solid #d5dce3;text-align:left;vertical-align:top';
const NUMBER = `${CELL};text-align:right;white-space:nowrap`;

function htmlOf({ language, title, days, lines, panels, quiet, trust, link, foot, feet }: Shown): Html {
  const table = (rows: Html[]) =>
    html`<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="border-collapse:collapse;margin:0 0 24px">${rows}</table>`;
  return html`<!doctype html><html lang="${language}"><head><meta charset="utf-8"><title>${title}</title></head><body style="margin:0;padding:24px;font:16px/1.5 sans-serif;color:#1d2733"><div style="max-width:560px;margin:0 auto"><h1 style="font-size:22px;margin:0">${title}</h1><p style="margin:0 0 24px;${SOFT}">${days}</p>${quiet && html`<p>${quiet}</p>`}${table(lines.map(({ name, value, beside }) => html`<tr><td style="${CELL}">${name}</td><td style="${NUMBER}"><strong>${value}</strong>${beside && html`<br><span style="font-size:13px;${SOFT}">${beside}</span>`}</td></tr>`))}${panels.map(({ title: head, rows }) => html`<h2 style="font-size:18px;margin:0 0 8px">${head}</h2>${table(rows.map(({ name, value }) => html`<tr><td style="${CELL};word-break:break-all">${name}</td><td style="${NUMBER}">${value}</td></tr>`))}`)}<p>${trust}</p><p><a href="${link.url}" style="display:inline-block;padding:12px 20px;background:#0b57d0;color:#fff;border-radius:6px;text-decoration:none">${link.words}</a></p><hr style="border:0;border-top:1px solid #d5dce3"><p style="font-size:14px;${SOFT}">${foot}<br>${feet.map(({ words, url }, n) => html`${n > 0 && ' · '}<a href="${url}">${words}</a>`)}</p></div></body></html>`;
}
