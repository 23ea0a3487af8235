// Clicks: on what is marked with data-event, on links that lead away, and on downloads.
import { on, send } from './core.ts';

const FILES =
  /\.(pdf|zip|docx?|xlsx?|pptx?|csv|txt|rtf|epub|mp[34]|wav|mov|avi|gz|7z|rar|dmg|exe|msi|apk|pkg|deb)$/i;

const clicked = ({ target, button }: MouseEvent) => {
  // The main and the middle button; a menu is no click.
  if (button < 2) {
    const marked = (target as Element).closest<HTMLElement>('[data-event]');
    if (marked) {
      const props: Record<string, unknown> = {};
      for (const key in marked.dataset) {
        if (/^event./.test(key)) props[key[5]!.toLowerCase() + key.slice(6)] = marked.dataset[key];
      }
      send(marked.dataset.event!, { props });
    }
    const link = (target as Element).closest<HTMLAnchorElement>('a[href]');
    if (link && /^http/.test(link.protocol)) {
      const props = { url: link.origin + link.pathname };
      if (link.hasAttribute('download') || FILES.test(link.pathname)) send('download', { props });
      else if (link.host != location.host) send('outbound_click', { props });
    }
  }
};
on('click', clicked);
on('auxclick', clicked);
