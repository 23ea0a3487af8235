// Decimal amounts of at most four places, counted in whole ten-thousandths: adding them up loses nothing.

const UNIT = 10_000n;
const DECIMAL = /^(-?)(\d+)(?:\.(\d{1,4}))?$/;

/** text  as PostgreSQL writes a numeric, or as decimalText does */
export function unitsOf(text: string): bigint {
  const [, sign, whole, places = ''] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) throw new Error('not a decimal of at most four places');
  const units = BigInt(whole) * UNIT + BigInt(places.padEnd(4, '0'));
  return sign ? -units : units;
}

export function decimalText(units: bigint): string {
  const positive = units < 0n ? -units : units;
  const places = String(positive % UNIT).padStart(4, '0');
  return `${units < 0n ? '-' : ''}${positive / UNIT}.${places}`;
}

/** As JSON prints it: exact below a hundred billion, where a double still holds all of its digits. */
export const numberOf = (units: bigint): number => Number(decimalText(units));

/** A quotient to four places, half a unit up; null when there is nothing to divide by. */
export function divided(units: bigint, by: number): bigint | null {
  if (by === 0) return null;
  const whole = BigInt(by);
  return (2n * units + whole) / (2n * whole);
}

/** Splits an amount over shares that sum to `whole`: the parts sum to the amount, what is left goes to the later ones. */
export function splitUnits(units: bigint, shares: readonly number[], whole: number): bigint[] {
  let shared = 0;
  let given = 0n;
  return shares.map((share) => {
    shared += share;
    const upTo = (units * BigInt(shared)) / BigInt(whole);
    const part = upTo - given;
    given = upTo;
    return part;
  });
}
