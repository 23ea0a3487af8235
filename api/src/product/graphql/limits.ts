// How large a question may be: counted before anything of it is worked on.
export const BYTES_MAX = 32 * 1024;
export const TOKENS_MAX = 1000;
export const DEPTH_MAX = 8;
export const COST_MAX = 1000;
/** What a route costs beside its fields, each of which is 1: a dozen of them in one question. */
export const COST_OF_ROUTE = 75;
export const SECONDS_MAX = 10;
