// How many a verb showed or changed, for the audit log: said by the verb while it works.
const said: Record<string, unknown> = {};

export const noteNumbers = (more: Record<string, unknown>): void => {
  Object.assign(said, more);
};
export const numbers = (): Readonly<Record<string, unknown>> => said;
