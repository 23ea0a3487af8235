// A template under the rules of now: what was saved under others is read again, and what no longer passes is not drawn.
import { AppError, type Issue } from '../../../ground/lib/app-error.ts';
import { type Tokens, tokenFaults, tokensShape } from './tokens.ts';

interface Look {
  tokens: Tokens;
  css: string | null;
}
/** What is drawn of it, and why the rest is not. */
export interface LookNow extends Look {
  refused: Issue[];
}

const KNOWN_MAX = 500;
/** The same text comes to the same under the rules of one release. */
const known = new Map<string, Promise<Omit<LookNow, 'tokens'>>>();

/** origins  of the site, of which a logo is one */
export async function lookNow({ tokens, css }: Look, origins: readonly string[]): Promise<LookNow> {
  const shaped = tokensShape.safeParse(tokens);
  const refused = shaped.success
    ? tokenFaults(shaped.data, origins)
    : shaped.error.issues.map(({ path, message }) => ({ path: ['tokens', ...path].join('.'), message }));
  if (!shaped.success || refused.some(({ path }) => path !== 'tokens.logo'))
    // its CSS was read on colours that are not drawn
    return { tokens: tokensShape.parse({}), css: null, refused };
  const drawn = refused.length > 0 ? { ...shaped.data, logo: null } : shaped.data;
  if (css === null) return { tokens: drawn, css, refused };
  const print = await printed(css, shaped.data);
  return { tokens: drawn, css: print.css, refused: [...refused, ...print.refused] };
}

function printed(css: string, tokens: Tokens): Promise<Omit<LookNow, 'tokens'>> {
  const key = JSON.stringify([css, tokens]);
  let print = known.get(key);
  if (!print) {
    if (known.size >= KNOWN_MAX) known.clear();
    print = printAnew(css, tokens);
    known.set(key, print);
  }
  return print;
}

async function printAnew(css: string, tokens: Tokens): Promise<Omit<LookNow, 'tokens'>> {
  const { printCss } = await import('./css.ts'); // 2 MB that processes without such a template never need
  try {
    return { css: printCss(css, tokens), refused: [] };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { css: null, refused: [...(error.issues ?? [])] };
  }
}
