// What a delivery means here: a conversion, a conversion that is void, a person to be erased, or nothing. Pure.
import type { IncomingHttpHeaders } from 'node:http';
import { cleanText } from '../../ground/http/validate.ts';
import { cutText } from '../../ground/lib/text.ts';
import type { Billed } from '../plans/billed.ts';
import { type Kind, type Mapping, tellsPlans } from './schema.ts';

export interface Act {
  /** By what the same delivery is known. */
  key: string;
  does:
    | { what: 'ignore' }
    | { what: 'erase'; email: string }
    | {
        what: 'conversion';
        id: string;
        kind: 'signup' | 'activation' | 'purchase';
        email?: string;
        occurredAt?: string;
        amount?: string;
        currency?: string;
        products?: string[];
        country?: string;
        voidedAt?: string;
      }
    /** Which invoice a payment paid. */
    | { what: 'payment'; payment: string; invoice: string }
    | ({ what: 'plan'; site: string } & Omit<Billed, 'isOurs'>); // site: its id or key, as the event names it; '': none
}
type Does = Act['does'];

// As POST /v1/conversions takes them; of an order's lines no more are looked at.
const PRODUCTS_MAX = 5;
const PRODUCT_LENGTH_MAX = 200;
const LINES_MAX = 200;
const IGNORE: Does = { what: 'ignore' };

/** Numbers beyond 2^53 stay the digits they were: ids of orders are such. throws  SyntaxError */
export const parseExactly = (text: string): unknown =>
  (
    JSON.parse as (
      text: string,
      read: (key: string, value: unknown, context: { source?: string }) => unknown,
    ) => unknown
  )(text, (_key, value, context) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context.source ?? '')
      ? context.source
      : value,
  );

const at = (value: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>((held, name) => (held as Record<string, unknown> | null | undefined)?.[name], value);
/** '' for what is neither a text nor a number. */
const textAt = (value: unknown, path: string): string => {
  const found = at(value, path);
  return typeof found === 'string' || typeof found === 'number' ? cleanText(String(found)).trim() : '';
};
/** What the entries of a list are called, or its texts themselves: the first five, each once. */
function namesAt(value: unknown, path: string, ...names: string[]): string[] {
  const list = at(value, path);
  if (!Array.isArray(list)) return [];
  const found = list
    .slice(0, LINES_MAX)
    .map((line) => first(textAt({ line }, 'line'), ...names.map((name) => textAt(line, name))))
    .map((name) => cutText(name, PRODUCT_LENGTH_MAX).trim());
  return [...new Set(found)].filter((name) => name !== '').slice(0, PRODUCTS_MAX);
}
const first = (...texts: string[]): string => texts.find((text) => text !== '') ?? '';

const AMOUNT = /^\d{1,12}(\.\d{1,4})?$/;
function money(amount: string, currency: string): { amount?: string; currency?: string } {
  const code = currency.toUpperCase();
  return AMOUNT.test(amount) && /^[A-Z]{3}$/.test(code) ? { amount, currency: code } : {};
}
/** The instant, when it is one. utc: it is written without a zone */
function instantOf(text: string, utc = false): string | undefined {
  const ms = Date.parse(utc && /T[\d:.]+$/.test(text) ? `${text}Z` : text);
  return Number.isFinite(ms) && text >= '1900' && text < '3000' ? new Date(ms).toISOString() : undefined;
}

function instantOfSeconds(text: string): string | undefined {
  const seconds = Number(text);
  return seconds > 0 && seconds < 32_503_680_000 ? new Date(seconds * 1000).toISOString() : undefined;
}

function conversion(
  id: string,
  facts: {
    kind?: 'signup' | 'activation' | 'purchase';
    email: string;
    at: string | undefined;
    void: boolean;
    money: object;
    products: string[];
    country: string;
  },
  now: number,
): Does {
  if (id === '' || id.length > 200) return IGNORE;
  return {
    what: 'conversion',
    id,
    kind: facts.kind ?? 'purchase',
    ...(facts.email === '' ? {} : { email: facts.email }),
    ...(facts.at === undefined ? {} : { occurredAt: facts.at }),
    ...facts.money,
    ...(facts.products.length === 0 ? {} : { products: facts.products }),
    ...(/^[A-Z]{2}$/i.test(facts.country) ? { country: facts.country.toUpperCase() } : {}),
    ...(facts.void ? { voidedAt: new Date(now).toISOString() } : {}),
  };
}

interface Came {
  headers: IncomingHttpHeaders;
  body: unknown;
  mapping: Mapping;
  now: number;
}
const headerOf = ({ headers }: Came, name: string): string => {
  const value = headers[name.toLowerCase()];
  return typeof value === 'string' ? value : '';
};

function shopify(came: Came): Act {
  const { body, now } = came;
  const topic = headerOf(came, 'x-shopify-topic');
  const key = first(
    headerOf(came, 'x-shopify-webhook-id'),
    `${topic} ${textAt(body, 'id')} ${textAt(body, 'updated_at')}`,
  );
  if (topic === 'customers/redact') {
    const email = textAt(body, 'customer.email');
    return { key, does: email === '' ? IGNORE : { what: 'erase', email } };
  }
  if (!/^orders\/(paid|cancelled|updated)$/.test(topic) || at(body, 'test') === true)
    return { key, does: IGNORE };
  const gid = first(
    textAt(body, 'admin_graphql_api_id'),
    textAt(body, 'id') && `gid://shopify/Order/${textAt(body, 'id')}`,
  );
  const status = textAt(body, 'financial_status');
  const isVoid =
    topic === 'orders/cancelled' || textAt(body, 'cancelled_at') !== '' || /^(refunded|voided)$/.test(status);
  if (topic === 'orders/updated' && !isVoid) return { key, does: IGNORE };
  const facts = {
    email: first(textAt(body, 'email'), textAt(body, 'contact_email'), textAt(body, 'customer.email')),
    at: instantOf(first(textAt(body, 'processed_at'), textAt(body, 'created_at'))),
    void: isVoid,
    money: money(textAt(body, 'total_price'), textAt(body, 'currency')),
    products: namesAt(body, 'line_items', 'title', 'name'),
    country: first(
      textAt(body, 'shipping_address.country_code'),
      textAt(body, 'billing_address.country_code'),
    ),
  };
  return { key, does: gid === '' ? IGNORE : conversion(`shopify:${gid}`, facts, now) };
}

function woocommerce(came: Came): Act {
  const { body, now } = came;
  const topic = headerOf(came, 'x-wc-webhook-topic');
  const id = textAt(body, 'id');
  const key = `${topic} ${id} ${textAt(body, 'date_modified_gmt')}`;
  const status = textAt(body, 'status');
  const isPaid = /^(processing|completed)$/.test(status);
  const isVoid = /^(cancelled|refunded)$/.test(status);
  if (!/^order\.(created|updated)$/.test(topic) || id === '' || !(isPaid || isVoid))
    return { key, does: IGNORE };
  const source = headerOf(came, 'x-wc-webhook-source');
  const host = URL.canParse(source) ? `${new URL(source).host}:` : '';
  const facts = {
    email: textAt(body, 'billing.email'),
    at: instantOf(first(textAt(body, 'date_paid_gmt'), textAt(body, 'date_created_gmt')), true),
    void: isVoid,
    money: money(textAt(body, 'total'), textAt(body, 'currency')),
    products: namesAt(body, 'line_items', 'name'),
    country: first(textAt(body, 'shipping.country'), textAt(body, 'billing.country')),
  };
  return { key, does: conversion(`woocommerce:${host}${id}`, facts, now) };
}

/** Currencies that Stripe counts in whole units, and those it counts in thousandths; all others in hundredths. */
const WHOLE = new Set('BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF'.split(' '));
const THOUSANDTHS = new Set('BHD JOD KWD OMR TND'.split(' '));
function minor(amount: string, currency: string): string {
  if (!/^\d{1,15}$/.test(amount)) return '';
  const code = currency.toUpperCase();
  const places = WHOLE.has(code) ? 0 : THOUSANDTHS.has(code) ? 3 : 2;
  const digits = amount.padStart(places + 1, '0');
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

const STRIPE_PAID = /^(checkout\.session\.(completed|async_payment_succeeded)|invoice\.paid)$/;

/** Of a subscription at Stripe: what is paid for, as long as it is, also while a payment is tried again. */
const IS_LIVE = /^(active|trialing|past_due)$/;
const IS_OVER = /^(canceled|unpaid|paused|incomplete_expired)$/;

/** What an event of billing says of a site's plan. */
function billing(type: string, object: unknown, madeAt: string | undefined, mapping: Mapping): Does {
  if (madeAt === undefined) return IGNORE;
  const { plans = {}, planAfter = '' } = mapping;
  const named = first(textAt(object, 'client_reference_id'), textAt(object, 'metadata.site'));
  const told = (reference: string, plan?: Billed['plan']): Does =>
    reference === '' || reference.length > 255
      ? IGNORE
      : { what: 'plan', site: named, reference, at: madeAt, ...(plan && { plan }) };
  if (type === 'checkout.session.completed') return told(textAt(object, 'subscription'));
  if (!/^customer\.subscription\.(created|updated|deleted|paused|resumed)$/.test(type)) return IGNORE;
  const reference = textAt(object, 'id');
  const status = textAt(object, 'status');
  if (type.endsWith('.deleted') || IS_OVER.test(status))
    return told(reference, { planId: planAfter, isLive: false });
  const items = at(object, 'items.data');
  const paid = (Array.isArray(items) ? items.slice(0, LINES_MAX) : [])
    .map((item) => textAt(item, 'price.id'))
    .find((price) => Object.hasOwn(plans, price));
  return told(
    reference,
    IS_LIVE.test(status) && paid !== undefined ? { planId: plans[paid]!, isLive: true } : undefined,
  );
}

function stripe({ body, now, mapping }: Came): Act {
  const key = textAt(body, 'id');
  const type = textAt(body, 'type');
  const object = at(body, 'data.object');
  if (at(body, 'livemode') === false) return { key, does: IGNORE };
  if (tellsPlans(mapping))
    return { key, does: billing(type, object, instantOfSeconds(textAt(body, 'created')), mapping) };
  if (type === 'invoice_payment.paid') {
    const [payment, invoice] = ['payment.payment_intent', 'invoice'].map((name) => textAt(object, name));
    const isTold = [payment, invoice].every((id) => id !== '' && id!.length <= 255);
    return { key, does: isTold ? { what: 'payment', payment: payment!, invoice: invoice! } : IGNORE };
  }
  const isVoid = type === 'charge.refunded' && at(object, 'refunded') === true;
  const isPaid =
    STRIPE_PAID.test(type) && (type === 'invoice.paid' || textAt(object, 'payment_status') === 'paid');
  if (!isVoid && !isPaid) return { key, does: IGNORE };
  // of a subscription its invoice tells of each payment, the first too
  if (type.startsWith('checkout.') && textAt(object, 'invoice') !== '') return { key, does: IGNORE };
  const currency = textAt(object, 'currency');
  const total = first(
    textAt(object, 'amount_total'),
    textAt(object, 'amount_paid'),
    textAt(object, 'amount'),
  );
  // a trial begins with an invoice of nothing
  if (type === 'invoice.paid' && !/[1-9]/.test(total)) return { key, does: IGNORE };
  const facts = {
    email: first(
      textAt(object, 'customer_details.email'),
      textAt(object, 'customer_email'),
      textAt(object, 'billing_details.email'),
      textAt(object, 'receipt_email'),
    ),
    at: instantOfSeconds(textAt(object, 'created')),
    void: isVoid,
    money: money(minor(total, currency), currency),
    // a session's are there only where whoever made it asked for them
    products: [
      ...namesAt(object, 'line_items.data', 'description'),
      ...namesAt(object, 'lines.data', 'description'),
    ].slice(0, PRODUCTS_MAX),
    country: first(
      textAt(object, 'shipping_details.address.country'),
      textAt(object, 'customer_details.address.country'),
      textAt(object, 'customer_address.country'),
      textAt(object, 'billing_details.address.country'),
    ),
  };
  const id = first(textAt(object, 'payment_intent'), textAt(object, 'id'));
  return { key, does: id === '' ? IGNORE : conversion(`stripe:${id}`, facts, now) };
}

function mapped(came: Came, key: string): Act {
  const { body, mapping, now } = came;
  const { fields = {}, topics = {} } = mapping;
  const topic = textAt(body, mapping.topic ?? 'type');
  const means = Object.hasOwn(topics, topic) ? topics[topic] : undefined;
  const place = (name: keyof typeof fields) => fields[name] ?? `data.${name}`;
  const field = (name: keyof typeof fields) => textAt(body, place(name));
  if (means === undefined) return { key, does: IGNORE };
  if (means === 'erase')
    return { key, does: field('email') === '' ? IGNORE : { what: 'erase', email: field('email') } };
  const facts = {
    ...(means === 'void' ? {} : { kind: means }),
    email: field('email'),
    at: instantOf(field('occurredAt')),
    void: means === 'void',
    money: money(field('amount'), field('currency')),
    products: namesAt(body, place('products'), 'name', 'title'),
    country: field('country'),
  };
  return { key, does: conversion(field('id'), facts, now) };
}

function generic(came: Came): Act {
  const by = came.mapping.deliveryId;
  const key = !by ? '' : 'header' in by ? headerOf(came, by.header) : textAt(came.body, by.field);
  return mapped(came, key);
}

const BY_KIND: Record<Kind, (came: Came) => Act> = {
  shopify,
  woocommerce,
  stripe,
  standard_webhooks: (came) => mapped(came, headerOf(came, 'webhook-id')),
  generic,
};

export const meaningOf = (kind: Kind, came: Came): Act => BY_KIND[kind](came);
