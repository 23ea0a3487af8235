// The day in progress, where the site is.
import { dayIn } from '../../../../ground/lib/days.ts';

export const todayIn = (zone: string): string => dayIn(zone, Date.now());
