// Fields of money: an amount and its currency, as numbers or as the texts of a table.
import { z } from 'zod';

export const currency = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^[A-Z]{3}$/, 'three letters such as CAD');

export const amount = z
  .union([
    z.number(),
    z
      .string()
      .trim()
      .regex(/^\d{1,12}(\.\d{1,4})?$/, 'a number such as 12.50'),
  ])
  .transform(Number)
  .pipe(z.number().min(0).max(1e12));
