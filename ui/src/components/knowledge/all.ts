// The elements that the page draws; what they draw in turn they import themselves.
import './article.ts';
import './call-drawer.ts';
import './editor.ts';
import './gap.ts';
import './list.ts';
import './search-box.ts';
import './top.ts';
