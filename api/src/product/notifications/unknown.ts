// What is said of a notification that a site has not.
import { AppError } from '../../ground/lib/app-error.ts';

export const unknownNotification = () =>
  new AppError('not_found', 'This site has no notification with this id.');
