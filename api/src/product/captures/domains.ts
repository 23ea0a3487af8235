// What kind of mailbox a domain gives: free for anyone, thrown away after use, or a business's own. Maintained lists.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { LRUCache } from 'lru-cache';

export type DomainClass = 'free_mail' | 'business' | 'disposable';

const require = createRequire(import.meta.url);
let lists: { disposable: Buffer; parents: Set<string>; free: Set<string> } | undefined;
// Reserved for documentation and tests (RFC 2606); the lists name some of them as places where nothing arrives.
const RESERVED = /(^|\.)(example\.(com|net|org)|test|example|invalid|localhost)$/;
const known = new LRUCache<string, DomainClass>({ max: 2000 });

/** 120 000 throw-away domains stay one buffer of 2.4 MB that is searched: a Set of them took 14 MB. Read when first asked. */
function load() {
  lists ??= {
    disposable: readFileSync(require.resolve('disposable-email-domains/index.json')),
    parents: new Set(require('disposable-email-domains/wildcard.json') as string[]),
    free: new Set(require('email-providers/common.json') as string[]),
  };
  return lists;
}

/** domain  lower-case, ASCII */
export function domainClass(domain: string): DomainClass {
  let found = known.get(domain);
  if (!found) {
    const { disposable, parents, free } = load();
    const labels = domain.split('.');
    const isBelow = labels.some((_, i) => parents.has(labels.slice(i).join('.')));
    found = RESERVED.test(domain)
      ? 'business'
      : isBelow || disposable.includes(`"${domain}"`)
        ? 'disposable'
        : free.has(domain)
          ? 'free_mail'
          : 'business';
    known.set(domain, found);
  }
  return found;
}
