const form = document.querySelector('form');
const said = document.getElementById('said');
const SCRIPT = 'backchannel-beside';

const kept = await chrome.storage.local.get(['service', 'key', 'crm', 'country']);
for (const [name, value] of Object.entries(kept)) form.elements.namedItem(name).value = value;

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  try {
    const service = new URL(form.elements.service.value).origin;
    const crm = new URL(form.elements.crm.value).origin;
    const key = form.elements.key.value.trim();
    const digits = form.elements.country.value.replace(/\D/g, '');
    const country = digits === '' ? '' : `+${digits}`;
    // A pattern has no port: the whole host is asked for.
    const pattern = (origin) => `${new URL(origin).protocol}//${new URL(origin).hostname}/*`;
    // Asked first, while the click still counts.
    if (!(await chrome.permissions.request({ origins: [pattern(service), pattern(crm)] }))) throw new Error('Without leave for both addresses nothing can be shown.');
    const response = await fetch(`${service}/v1/me`, { credentials: 'omit', headers: { authorization: `Bearer ${key}` } });
    if (!response.ok) throw new Error(response.status === 401 ? 'The service doesn’t know this key.' : `The service answered ${response.status}.`);
    await chrome.storage.local.set({ service, key, crm, country });
    await chrome.scripting.unregisterContentScripts({ ids: [SCRIPT] }).catch(() => undefined);
    await chrome.scripting.registerContentScripts([{ id: SCRIPT, js: ['content.js'], matches: [pattern(crm)], runAt: 'document_idle' }]);
    said.textContent = `Saved. Hello ${(await response.json()).name}: load the CRM’s page again.`;
  } catch (error) {
    said.textContent = error instanceof TypeError ? 'The service can’t be reached at this address.' : error.message;
  }
});
