// Reviews, tests and receipts, in one file: they share words and parts, and who opens one opens others.
import { place } from '../lib/state.ts';
import { OneTest } from './ab-test.tsx';
import { NewTest } from './ab-test-new.tsx';
import { ReviewImport } from './review-import.tsx';
import { ReviewList } from './reviews.tsx';
import { TestList } from './tests.tsx';

export { Receipts } from './receipts.tsx';

export const Reviews = () => (place.value.id === 'import' ? <ReviewImport /> : <ReviewList />);

export function Tests() {
  const { id } = place.value;
  return id === null ? <TestList /> : id === 'new' ? <NewTest /> : <OneTest />;
}
