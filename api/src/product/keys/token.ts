// A key as a program sends it: mk_ID_SECRET. The prefix lets scanners of leaked secrets know it, the id finds its row.

const SHAPE = /^mk_([0-9a-f]{32})_([A-Za-z0-9_-]{43})$/;

export function writeToken(keyId: string, secret: string): string {
  return `mk_${keyId.replaceAll('-', '')}_${secret}`;
}

/** returns  null when it has not the shape of a key */
export function readToken(text: string): { keyId: string; secret: string } | null {
  const [, hex, secret] = SHAPE.exec(text) ?? [];
  if (!hex || !secret) return null;
  return { keyId: hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'), secret };
}
