// Clicks: on what is marked with data-event, on links that lead away, and on downloads.
import { on, send } from './core.ts';

const FILES = /\.(pdf|zip|docx?|xlsx?|pptx?|csv|mp[34]|exe|dmg)$/i;

['click', 'auxclick'].map((type) =>
  on(type, ({ target, button }: { target: Element; button: number }) => {
    // The main and the middle button; a menu is no click.
    if (button < 2) {
      const marked = target.closest<HTMLElement>('[data-event]');
      if (marked) {
        const { event, ...props } = marked.dataset;
        send(event!, { props });
      }
      const link = target.closest<HTMLAnchorElement>('a[href]');
      // Neither mailto: nor blob: has a host; a link within the site is no event.
      link?.host &&
        send(
          link.matches('[download]') || FILES.test(link.pathname)
            ? 'download'
            : link.host != location.host && 'outbound_click',
          { props: { url: link.origin + link.pathname } },
        );
    }
  }),
);
