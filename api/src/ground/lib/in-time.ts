// An answer within a time, for who must not wait longer.

export class TooLate extends Error {}

/** throws  TooLate when it takes longer; the work goes on all the same, and how it ends is nobody's matter then */
export async function inTime<T>(ms: number, work: Promise<T>): Promise<T> {
  work.catch(() => {});
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_done, fail) => {
    timer = setTimeout(() => fail(new TooLate(`it took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
