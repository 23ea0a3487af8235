// Where a verb's result goes, and what is said on the way there: a script takes the one, a person reads the other.
export const print = (text: string): void => void process.stdout.write(`${text}\n`);
export const say = (text: string): void => void process.stderr.write(`${text}\n`);
