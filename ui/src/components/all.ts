// The desktop's elements. A component that draws another one imports it itself; these are the ones that the page draws.
import './announcer.ts';
import './answers.ts';
import './ask.ts';
import './call-list.ts';
import './cards.ts';
import './customer.ts';
import './handover.ts';
import './header.ts';
import './idle.ts';
import './keymap.ts';
import './microphone-bar.ts';
import './passage.ts';
import './reply.ts';
import './tabs.ts';
import './transcript.ts';
import './wrapup.ts';
