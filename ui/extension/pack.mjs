// Puts the extension's files and the component that it shows into one folder, which a browser loads as it is.
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const built = join(here, '../dist/embed/backchannel-copilot.js');
const files = ['manifest.json', 'background.js', 'content.js', 'match.js', 'panel.html', 'panel.css', 'panel.js', 'options.html', 'options.js'];

/** Packs into `folder`, which is emptied first. */
export function pack(folder) {
  if (!existsSync(built)) throw new Error('dist/embed/backchannel-copilot.js is missing: npm run build');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const file of files) cpSync(join(here, file), join(folder, file));
  cpSync(built, join(folder, 'backchannel-copilot.js'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? join(here, '../dist-extension');
  pack(folder);
  console.log(`packed into ${folder}: load it unpacked in chrome://extensions`);
}
