// Everything the dashboard says, in English. Other languages say the same (`Messages`): what is missing there does not compile.
import { door } from './en/door.ts';
import { machine } from './en/machine.ts';
import { numbers } from './en/numbers.ts';
import { people } from './en/people.ts';

export const en = { ...door, ...numbers, ...people, ...machine };
export type Messages = typeof en;
