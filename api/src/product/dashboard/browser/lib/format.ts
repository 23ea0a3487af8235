// Numbers, money, days and moments in the reader's language. Days are the site's and are never moved to another zone.

export interface Format {
  count(value: number): string;
  share(value: number): string;
  decimal(value: number): string;
  duration(seconds: number): string;
  money(value: number, currency: string): string;
  day(day: string): string;
  /** With its year. */
  date(day: string): string;
  longDay(day: string): string;
  moment(instant: string, zone?: string): string;
  ago(instant: string, now: number): string;
  country(code: string): string;
  bytes(value: number): string;
}

const noon = (day: string) => new Date(`${day}T12:00:00Z`);

export function formatOf(locale: string): Format {
  const count = new Intl.NumberFormat(locale);
  const short = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 });
  const share = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
  const decimal = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
  const day = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', month: 'short', day: 'numeric' });
  const date = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', dateStyle: 'medium' });
  const longDay = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', dateStyle: 'full' });
  const ago = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
  const names = new Intl.DisplayNames(locale, { type: 'region', fallback: 'code' });
  return {
    count: (value) => (Math.abs(value) < 100_000 ? count : short).format(value),
    share: (value) => share.format(value),
    decimal: (value) => decimal.format(value),
    duration(seconds) {
      const whole = Math.round(seconds);
      if (whole < 60) return `${whole} s`;
      if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
      return `${decimal.format(whole / 3600)} h`;
    },
    money: (value, currency) =>
      new Intl.NumberFormat(locale, { style: 'currency', currency, maximumFractionDigits: 2 }).format(value),
    day: (text) => day.format(noon(text)),
    date: (text) => date.format(noon(text)),
    longDay: (text) => longDay.format(noon(text)),
    moment: (instant, zone) =>
      new Intl.DateTimeFormat(locale, {
        dateStyle: 'medium',
        timeStyle: 'short',
        ...(zone ? { timeZone: zone } : {}),
      }).format(new Date(instant)),
    ago(instant, now) {
      const seconds = Math.min(0, Math.round((Date.parse(instant) - now) / 1000));
      if (seconds > -60) return ago.format(seconds, 'second');
      if (seconds > -3600) return ago.format(Math.round(seconds / 60), 'minute');
      if (seconds > -172_800) return ago.format(Math.round(seconds / 3600), 'hour');
      return ago.format(Math.round(seconds / 86_400), 'day');
    },
    country(code) {
      return /^[A-Z]{2}$/.test(code) ? (names.of(code) ?? code) : code;
    },
    bytes(value) {
      const units = ['B', 'KB', 'MB', 'GB', 'TB'];
      const step = Math.min(units.length - 1, value > 0 ? Math.floor(Math.log10(value) / 3) : 0);
      return `${decimal.format(Math.round((value / 1000 ** step) * 10) / 10)} ${units[step]}`;
    },
  };
}

/** The bounds of a 95 % interval of a share (Wilson's score). of > 0 */
export function wilson(part: number, of: number): [number, number] {
  const z = 1.96;
  const p = part / of;
  const middle = p + (z * z) / (2 * of);
  const spread = z * Math.sqrt((p * (1 - p)) / of + (z * z) / (4 * of * of));
  const below = 1 + (z * z) / of;
  return [Math.max(0, (middle - spread) / below), Math.min(1, (middle + spread) / below)];
}
