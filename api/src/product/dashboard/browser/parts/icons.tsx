// Drawn as lines, in the colour of the text beside them. From Lucide (ISC).
const PATHS = {
  sites: 'M3 3h7v7H3zM14 3h7v7h-7zM14 14h7v7h-7zM3 14h7v7H3z',
  overview: 'M3 3v18h18M7 15l4-5 3 3 5-7',
  sessions: 'M12 7v5l3 2M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18',
  notifications: 'M18 8a6 6 0 0 0-12 0c0 7-3 9-3 9h18s-3-2-3-9M10.3 21a2 2 0 0 0 3.4 0',
  leads:
    'M16 21v-2a4 4 0 0 0-4-4H6a4 4 0 0 0-4 4v2M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8M22 21v-2a4 4 0 0 0-3-3.9M16 3.1a4 4 0 0 1 0 7.8',
  reviews:
    'M21 11.5a8.4 8.4 0 0 1-8.5 8.5 8.6 8.6 0 0 1-3.9-.9L3 21l1.9-5.6A8.4 8.4 0 1 1 21 11.5zM8.5 10h7M8.5 14h4',
  tests: 'M12 3v6M12 9c0 5-7 4-7 11M12 9c0 5 7 4 7 11M2.5 17.5 5 20l2.5-2.5M16.5 17.5 19 20l2.5-2.5',
  receipts:
    'M5 2v20l2.5-1.5L10 22l2-1.5L14 22l2.5-1.5L19 22V2l-2.5 1.5L14 2l-2 1.5L10 2 7.5 3.5zM9 9h6M9 13h6',
  quality: 'M9 12l2 2 4-4M12 22s8-4 8-10V5l-8-3-8 3v7c0 6 8 10 8 10',
  privacy: 'M5 11h14v10H5zM8 11V7a4 4 0 0 1 8 0v4',
  machine: 'M3 4h18v6H3zM3 14h18v6H3zM7 7h.01M7 17h.01',
  settings: 'M4 21v-7M4 10V3M12 21v-9M12 8V3M20 21v-5M20 12V3M1 14h6M9 8h6M17 16h6',
  account: 'M20 21a8 8 0 0 0-16 0M12 13a5 5 0 1 0 0-10 5 5 0 0 0 0 10',
  copy: 'M9 9h12v12H9zM5 15H3V3h12v2',
  download: 'M12 3v12M7 10l5 5 5-5M4 21h16',
} as const;
export type IconName = keyof typeof PATHS;

export const Icon = ({ name }: { name: IconName }) => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <path d={PATHS[name]} />
  </svg>
);
