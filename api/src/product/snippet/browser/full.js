// The full bundle: the core, and what a page can tell about forms, clicks, attention and speed.
import './core.ts';
import './attention.ts';
import './forms.ts';
import './clicks.ts';
