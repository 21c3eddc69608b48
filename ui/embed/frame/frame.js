// The frame's own page: whose conversation stands behind the #, which no server's log ever sees.
const copilot = document.querySelector('backchannel-copilot');

function read() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  for (const name of ['conversation', 'token', 'theme']) {
    const value = wanted.get(name);
    if (value !== null) copilot.setAttribute(name, value);
  }
}
read();
// The page around can turn to another call without loading anything again.
window.addEventListener('hashchange', read);

// Only a page that may hold this frame gets here (frame-ancestors); it is told, and no other.
const around = location.ancestorOrigins?.[0] ?? new URLSearchParams(location.hash.slice(1)).get('origin');
for (const name of ['backchannel-card-accepted', 'backchannel-card-dismissed', 'backchannel-ended', 'backchannel-token-expired']) {
  copilot.addEventListener(name, (event) => {
    if (around && window.parent !== window) window.parent.postMessage({ ...event.detail, type: name }, around);
  });
}
