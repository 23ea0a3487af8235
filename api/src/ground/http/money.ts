// Fields of money: an amount and its currency, given as numbers or as the texts of a table.
import { z } from 'zod';

export const currency = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^[A-Z]{3}$/, 'three letters such as CAD');

/** returns  a decimal text of four places, so that no amount is ever a binary fraction on its way */
export const amount = z.union([
  z
    .number()
    .min(0)
    .max(1e12)
    .transform((given) => given.toFixed(4)),
  z
    .string()
    .trim()
    .regex(/^\d{1,12}(\.\d{1,4})?$/, 'a number such as 12.50'),
]);
