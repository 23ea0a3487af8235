// Where the focus goes when what had it is gone.

/**
 * To the page's heading, once it is drawn: whoever reads by ear or goes by keyboard hears where they are. A page whose file or
 * answer is still on its way has none yet; whoever put the focus somewhere meanwhile keeps it there.
 */
export function toHeading(): void {
  requestAnimationFrame(() => {
    const heading = document.querySelector<HTMLElement>('h1');
    if (heading) heading.focus();
    else if (document.activeElement === document.body) toHeading();
  });
}
