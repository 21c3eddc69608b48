// Runs in the CRM's page, in a world of its own: looks for whose page it is, and puts the panel beside it. The key
// stays in the panel, whose inside this page can't read.
(() => {
  if (document.documentElement.dataset.backchannel === 'beside') return;
  document.documentElement.dataset.backchannel = 'beside';
  const OWN = new URL(chrome.runtime.getURL('')).origin;
  // A page that draws itself anew tells nobody.
  const LOOK_EVERY_MS = 1_000;
  const MOST = 20;

  const host = document.createElement('div');
  host.id = 'backchannel-beside';
  // Marked as important, it stands above whatever the page says of all its boxes.
  for (const [name, value] of [
    ['all', 'initial'], ['display', 'block'], ['position', 'fixed'], ['inset', '72px 12px 12px auto'], ['width', '360px'], ['z-index', '2147483000'],
  ]) host.style.setProperty(name, value, 'important');
  const shade = host.attachShadow({ mode: 'closed' });
  const style = document.createElement('style');
  style.textContent = `
    iframe { display: block; width: 100%; height: 100%; border: 0; border-radius: 8px; box-shadow: 0 4px 24px rgb(0 0 0 / 18%); }
    button { position: absolute; top: -32px; right: 0; padding: 4px 12px; border: 1px solid #868d88; border-radius: 5px; font: 13px system-ui, sans-serif;
      color: #1a1e1c; background: #fff; cursor: pointer; }
    .shut iframe { display: none; }`;
  const box = document.createElement('div');
  box.style.height = '100%';
  const frame = document.createElement('iframe');
  frame.title = 'Backchannel';
  frame.src = chrome.runtime.getURL('panel.html');
  const fold = document.createElement('button');
  fold.type = 'button';
  const show = (open) => {
    box.className = open ? '' : 'shut';
    host.style.pointerEvents = open ? '' : 'none';
    fold.style.pointerEvents = 'auto';
    fold.textContent = open ? 'Hide Backchannel' : 'Backchannel';
    fold.setAttribute('aria-expanded', String(open));
  };
  fold.addEventListener('click', () => show(box.className !== ''));
  show(true);
  box.append(fold, frame);
  shade.append(style, box);
  document.body.append(host);

  // Where the agent wrote last: that is where words go.
  let lastField = null;
  document.addEventListener('focusin', ({ target }) => {
    if (target instanceof HTMLElement && target.matches('textarea, input[type=text], [contenteditable=true], [contenteditable=""]')) lastField = target;
  });

  function whose() {
    const links = (scheme) => [...document.querySelectorAll(`a[href^="${scheme}:"]`)].map((a) => decodeURIComponent(a.getAttribute('href').slice(scheme.length + 1).split('?')[0]));
    const fields = (type) => [...document.querySelectorAll(`input[type=${type}]`)].map((input) => input.value);
    const text = (document.querySelector('main') ?? document.body).innerText ?? '';
    // A CRM that writes numbers as plain text; only whole international ones are certain.
    const written = text.match(/\+\d[\d ().-]{7,18}\d/g) ?? [];
    const unique = (all) => [...new Set(all.map((one) => one.trim()).filter(Boolean))].slice(0, MOST);
    return { type: 'backchannel-whose', phones: unique([...links('tel'), ...fields('tel'), ...written]), emails: unique([...links('mailto'), ...fields('email')]) };
  }

  let told = '';
  let ready = false;
  function tell() {
    if (!ready) return;
    const now = whose();
    const text = JSON.stringify(now);
    if (text === told) return;
    told = text;
    frame.contentWindow?.postMessage(now, OWN);
  }

  window.addEventListener('message', (event) => {
    if (event.source !== frame.contentWindow || event.origin !== OWN) return;
    if (event.data?.type === 'backchannel-ready') {
      ready = true;
      told = '';
      tell();
    }
    if (event.data?.type === 'backchannel-insert') insert(String(event.data.text));
  });

  function insert(text) {
    if (!lastField?.isConnected) return;
    if (lastField.isContentEditable) {
      lastField.append(document.createTextNode(text));
    } else {
      const at = lastField.selectionEnd ?? lastField.value.length;
      lastField.setRangeText(text, at, at, 'end');
    }
    lastField.dispatchEvent(new InputEvent('input', { bubbles: true, inputType: 'insertText', data: text }));
  }

  setInterval(tell, LOOK_EVERY_MS);
})();
