// A notification as a picture: of the site as pages get it, and of the dashboard as it would be.
import { html } from '../../ground/http/html.ts';

/** As wide as its words: letters of a picture are counted, wide ones twice. */
export function badge(text: string): string {
  const width =
    text === ''
      ? 0
      : 20 +
        [...text].reduce(
          (sum, sign) => sum + (/[\u1100-\uffdc\u{1f000}-\u{1faff}]/u.test(sign) ? 15 : 7.6),
          0,
        );
  const size = Math.ceil(width);
  return String(
    html`<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${size}" height="${text === '' ? 0 : 28}"><title>${text}</title><rect width="100%" height="100%" rx="6" fill="#1f2328"/><text x="50%" y="19" text-anchor="middle" fill="#fff" font-family="system-ui,sans-serif" font-size="13">${text}</text></svg>`,
  );
}
