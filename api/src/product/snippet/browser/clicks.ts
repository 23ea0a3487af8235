// Clicks: on what is marked with data-event, on links that lead away, and on downloads.
import { on, send } from './core.ts';

on('click auxclick', ({ target, button }: { target: Element; button: number }) => {
  // The main and the middle button; a menu is no click.
  if (button < 2) {
    const { event, ...props } = { ...target.closest<HTMLElement>('[data-event]')?.dataset };
    send(event!, { props });
    const link = target.closest<HTMLAnchorElement>('a[href]');
    // Neither mailto: nor blob: has a host; a link within the site is no event.
    link?.host &&
      send(
        link.closest('[download]') || /\.(pdf|zip|csv|exe|dmg|mp[34]|(doc|xls|ppt)x?)$/i.test(link.pathname)
          ? 'download'
          : link.host != location.host && 'outbound_click',
        { props: { url: link.origin + link.pathname } },
      );
  }
});
