// Answers at full ticks, so that the time of an answer does not tell what it found.

const TICK_MS = 25; // a capture takes 3 to 8 ms, known or unknown: both fall into the first tick

/** How long to wait, in ms, until the next full tick since `began` (performance.now()). */
export const untilTick = (began: number, now: number): number => TICK_MS - ((now - began) % TICK_MS);

export async function atTick(began: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, untilTick(began, performance.now())));
}
