// Several addresses in one field, and what is wrong with one of them said there.
import { Refusal } from './ask.ts';

export const addressesIn = (text = ''): string[] => text.split(/[\s,;]+/).filter(Boolean);

/** Origins as people write them: with a path after it, or without https:// before it. */
export const originsIn = (text?: string): string[] =>
  addressesIn(text).map((one) => {
    const address = /^\w+:\/\//.test(one) ? one : `https://${one}`;
    return URL.canParse(address) ? new URL(address).origin : one;
  });

/** What was refused of one of a list, as of the field it was written in. throws  the refusal */
const at =
  (field: string, lists: RegExp) =>
  (error: unknown): never => {
    if (error instanceof Refusal) {
      const issues = error.issues.map(({ path, message }) => ({
        path: lists.test(path) ? field : path,
        message,
      }));
      throw new Refusal(
        error.status,
        { error: error.code, message: error.message, requestId: error.requestId, issues },
        error.retryAfter,
      );
    }
    throw error;
  };
export const atRecipients = at('recipients', /^(recipients|channels)\b/);
export const atEmbed = at('embed', /^embed\b/);
