// Where the focus goes when what had it is gone.

/** To the page's heading, once what changed is drawn: whoever reads by ear or goes by keyboard hears where they are. */
export const toHeading = (): number =>
  requestAnimationFrame(() => document.querySelector<HTMLElement>('h1')?.focus());
