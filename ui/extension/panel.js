// The panel beside the CRM's page: finds the live conversation with whoever is open there, and shows it. Of several it
// asks; it never guesses.
import { matching, nameOf } from './match.js';

const LOOK_EVERY_MS = 3_000;
const place = document.getElementById('place');
const page = location.ancestorOrigins?.[0];
let settings;
let whose = { phones: [], emails: [] };
/** Chosen by hand, as long as the same person's page is open. */
let chosen = '';
let shown = '';
let said = '';
let looking = false;
let again = false;

async function ask(method, path, body) {
  const response = await fetch(settings.service + path, {
    method, credentials: 'omit', headers: { authorization: `Bearer ${settings.key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    body: body ? JSON.stringify(body) : undefined,
  });
  if (response.status === 401 || response.status === 403) throw new Error('The service doesn’t take the key. Look at this extension’s options.');
  if (!response.ok) throw new Error(`The service answered ${response.status}.`);
  return response.json();
}

/** One look at a time: two at once would show a call twice, or the one of a page that was left meanwhile. */
async function look() {
  again = true;
  if (looking) return;
  looking = true;
  while (again) {
    again = false;
    await lookOnce();
  }
  looking = false;
}

async function lookOnce() {
  const person = whose;
  try {
    settings = await chrome.storage.local.get(['service', 'key', 'crm', 'country']);
    if (!settings.service || !settings.key) return note('Say in this extension’s options where the service is.');
    // Any page may hold this one in a frame.
    if (!page || page !== settings.crm) return note('This page isn’t the CRM that this extension’s options name: nothing is shown beside it.');
    const { items } = await ask('GET', '/v1/conversations?state=live&limit=50');
    if (person !== whose) return;
    const fitting = matching(items, whose, settings.country ?? '');
    const wanted = items.find((one) => one.id === chosen) ?? (fitting.length === 1 ? fitting[0] : undefined);
    if (wanted) return await show(wanted.id, person);
    // An ended call stays until the page of somebody else is opened, or a call with the same person begins.
    if (shown !== '' && fitting.length === 0) return;
    if (items.length === 0) return note('No call right now. One with this contact appears here as it begins.');
    note(fitting.length > 1 ? 'Several calls fit. Which one is yours?' : 'No live call has this contact’s number. If yours is here, choose it:', fitting.length > 1 ? fitting : items);
  } catch (error) {
    if (shown === '') note(error instanceof TypeError ? 'The service can’t be reached.' : error.message);
  }
}

async function show(conversation, person) {
  if (conversation === shown) return;
  const { token } = await ask('POST', '/v1/tokens', { conversation });
  if (person !== whose) return;
  const copilot = document.createElement('backchannel-copilot');
  Object.entries({ base: settings.service, conversation, token }).forEach(([name, value]) => copilot.setAttribute(name, value));
  copilot.addEventListener('backchannel-token-expired', async () => copilot.setAttribute('token', (await ask('POST', '/v1/tokens', { conversation })).token));
  // It is copied as well: a page may have no field that is open.
  copilot.addEventListener('backchannel-card-accepted', ({ detail }) => window.parent.postMessage({ type: 'backchannel-insert', text: detail.text }, page));
  place.replaceChildren(copilot);
  shown = conversation;
  said = '';
}

function note(text, conversations = []) {
  const now = JSON.stringify([text, conversations.map((one) => one.id)]);
  if (now === said) return;
  said = now;
  shown = '';
  const box = document.createElement('div');
  box.className = 'note';
  const words = document.createElement('p');
  words.textContent = text;
  box.append(words, ...conversations.map((one) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = nameOf(one);
    button.addEventListener('click', () => {
      chosen = one.id;
      void look();
    });
    return button;
  }));
  place.replaceChildren(box);
}

window.addEventListener('message', (event) => {
  if (event.source !== window.parent || event.origin !== page || event.data?.type !== 'backchannel-whose') return;
  const next = { phones: event.data.phones ?? [], emails: event.data.emails ?? [] };
  if (JSON.stringify(next) === JSON.stringify(whose)) return;
  whose = next;
  chosen = '';
  shown = '';
  said = '';
  void look();
});
if (page) window.parent.postMessage({ type: 'backchannel-ready' }, page);
void look();
setInterval(look, LOOK_EVERY_MS);
