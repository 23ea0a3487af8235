// What nearly every page needs, in one file beside the first page's: a file for each two or three pages that share a part weighs
// more than the part. The build puts this module into every other one (build.ts); what markup becomes is here too.
export { Fragment, h } from 'preact';

import '../parts/chart.tsx';
import '../parts/choice.tsx';
import '../parts/copy.tsx';
import '../parts/dialog.tsx';
import '../parts/form.tsx';
import '../parts/icons.tsx';
import '../parts/more.tsx';
import '../parts/problem.tsx';
import '../parts/proof.tsx';
import '../parts/range-bar.tsx';
import '../parts/shell.tsx';
import '../parts/skeleton.tsx';
import '../parts/table.tsx';
import './addresses.ts';
import './ask.ts';
import './deed.ts';
import './focus.ts';
import './html.ts';
import './lazy.tsx';
import './letters.ts';
import './passkey.ts';
import './state.ts';
import './today.ts';
import './use-answer.ts';
import './use-pages.ts';
import './zoned.ts';
