// Which mailboxes are free, thrown away, or a business's own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { domainClass } from './domains.ts';

test('a domain is free mail, disposable or a business', () => {
  for (const [domain, expected] of [
    ['gmail.com', 'free_mail'],
    ['outlook.com', 'free_mail'],
    ['gmx.de', 'free_mail'],
    ['yahoo.ca', 'free_mail'],
    ['mailinator.com', 'disposable'],
    ['anything.mailinator.com', 'disposable'],
    ['guerrillamail.com', 'disposable'],
    ['bakery.example', 'business'],
    ['example.com', 'business'],
    ['mail.gmail.com.bakery.example', 'business'],
    ['notmailinator.com.example', 'business'],
  ] as const)
    assert.equal(domainClass(domain), expected, domain);
});
