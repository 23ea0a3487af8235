// Where a verb's result goes; what is said on the way there goes to standard error.
export const print = (text: string): void => void process.stdout.write(`${text}\n`);
