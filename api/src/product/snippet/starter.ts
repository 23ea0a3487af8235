// What stands at /p.js: some hundred bytes that fetch the notifications once the page is loaded, so that nothing of them comes
// between a page and its largest paint (npm run bench:p).
import { createHash } from 'node:crypto';

/** Of a script, as it stands in its address. */
export const hashOf = (script: string | Buffer): string =>
  createHash('sha256').update(script).digest('hex').slice(0, 16);

/**
 * By import(), since a page may forbid scripts that a script puts into it (Trusted Types); whatever is forbidden, the page hears
 * nothing of it. hash  of the whole
 */
export const starterOf = (hash: string): string =>
  `try{let t=document.currentScript,g=()=>import(new URL("p/${hash}.js",t.src)).catch(()=>0);document.readyState=="complete"?g():addEventListener("load",g)}catch{}`;
