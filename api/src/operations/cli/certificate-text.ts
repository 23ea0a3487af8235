// What the status page says of the certificate: how long it lasts, or why there is probably none.
import type { Status } from '../status/status.ts';

export function certificateText({ name, days, pointsTo }: NonNullable<Status['certificate']>): string {
  if (days !== null) return `${days} days left`;
  const where = pointsTo?.length ? `points to ${pointsTo.join(', ')}` : 'points nowhere';
  return `no certificate yet: ${name} ${where}. If that is this machine, docker compose logs caddy says why; if not, correct the name, then: docker compose restart caddy`;
}
