// Checks a lead's consent records the way anyone outside could: by hashing them again from their own fields.
import { createHash } from 'node:crypto';

interface Sender {
  name: string | null;
  address: string | null;
  contact: string | null;
}

export interface ConsentRecord {
  siteId: string;
  leadId: string;
  seq: number;
  /** null: written before there were purposes, and hashed as then. */
  purpose: string | null;
  action: string;
  status: string;
  kind: string;
  basis: string;
  textSha256: string | null;
  privacySignal: boolean;
  occurredAt: string;
  recordedAt: string;
  expiresAt: string | null;
  detailsDigest: string;
  previousHash: string | null;
  hash: string;
  /** The words' hash as their text has it now; null when there were none or they are forgotten. */
  wordsSha256: string | null;
  /** null: forgotten by an erasure; its digest still stands in the chain. */
  details: {
    salt: string;
    email: string;
    textId: string | null;
    language: string | null;
    policyVersion: string | null;
    purposes: string | null;
    page: string | null;
    formName: string | null;
    source: string | null;
    evidence: string | null;
    ipHash: string | null;
    uaHash: string | null;
    /** What for, in the site's word. */
    purpose: string | null;
    /** Who asked, as the site said it then. */
    sender: Sender | null;
  } | null;
}

const FAULTS_MAX = 100;

const sha256 = (...parts: (string | Buffer)[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};
const netstring = (field: string | null) => (field === null ? '-;' : `${Buffer.byteLength(field)}:${field};`);
export const netstrings = (fields: (string | null)[]) => fields.map(netstring).join('');

export function recordHash(r: ConsentRecord): string {
  return sha256(
    netstrings([
      r.previousHash,
      r.siteId,
      r.leadId,
      String(r.seq),
      r.action,
      r.status,
      r.kind,
      r.basis,
      r.textSha256,
      String(r.privacySignal),
      r.occurredAt,
      r.recordedAt,
      r.expiresAt,
      r.detailsDigest,
      ...(r.purpose === null ? [] : [r.purpose]),
    ]),
  );
}

export function detailsDigest({
  purpose,
  details: d,
}: {
  purpose: string | null;
  details: NonNullable<ConsentRecord['details']>;
}): string {
  return sha256(
    Buffer.from(d.salt, 'hex'),
    netstrings([
      d.email,
      d.textId,
      d.language,
      d.policyVersion,
      d.purposes,
      d.page,
      d.formName,
      d.source,
      d.evidence,
      d.ipHash,
      d.uaHash,
      ...(purpose === null
        ? []
        : [d.purpose, d.sender?.name ?? null, d.sender?.address ?? null, d.sender?.contact ?? null]),
    ]),
  );
}

/**
 * Takes a lead's records one after the other, by seq, and holds none of them.
 * end  head: the lead's own note of its newest hash, undefined once the lead is erased; answers what is wrong, in words,
 *      at most FAULTS_MAX of them; nothing when the chain is whole
 */
export function chainCheck() {
  const faults: string[] = [];
  let length = 0;
  let previous: string | null = null;
  const fault = (text: string) => {
    if (faults.length < FAULTS_MAX) faults.push(text);
  };
  return {
    get length() {
      return length;
    },
    see(record: ConsentRecord): void {
      length += 1;
      const at = `record ${record.seq}`;
      if (record.seq !== length) fault(`${at}: ${length} was expected`);
      if (record.previousHash !== previous) fault(`${at}: does not follow the one before it`);
      if (recordHash(record) !== record.hash) fault(`${at}: was changed`);
      const { purpose, details } = record;
      if (details && detailsDigest({ purpose, details }) !== record.detailsDigest)
        fault(`${at}: its details were changed`);
      if (record.details?.textId && record.wordsSha256 !== record.textSha256)
        fault(`${at}: the words are not those that were shown`);
      previous = record.hash;
    },
    end(head: { seq: number; hash: string | null } | undefined): string[] {
      if (head && (head.seq !== length || head.hash !== previous))
        fault(`the lead knows of ${head.seq} records, ${length} are here`);
      return faults;
    },
  };
}

/** The same of records that are at hand. */
export function chainFaults(
  records: ConsentRecord[],
  head: { seq: number; hash: string | null } | undefined,
): string[] {
  const check = chainCheck();
  for (const record of records) check.see(record);
  return check.end(head);
}
