// The notifications, where the tag asks for them (data-notifications): fetched once the page is loaded. A tag of their own would be
// one more answer on the line before the page's style sheet, however small it is (npm run bench:p).
import { tag } from './core.ts';

/** By import(), as starter.ts has it. */
const bring = () => import(new URL(`/p/${PROOF}.js`, tag.src) as never).catch(() => 0);

'notifications' in tag.dataset &&
  (document.readyState == 'complete' ? bring() : addEventListener('load', bring));
