// Everything the dashboard says, in French (Canada).

import type { Messages } from './en.ts';
import { door } from './fr/door.ts';
import { machine } from './fr/machine.ts';
import { numbers } from './fr/numbers.ts';
import { people } from './fr/people.ts';

export const fr: Messages = { ...door, ...numbers, ...people, ...machine };
