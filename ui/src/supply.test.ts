import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

// What cargo-deny checks of the crates (deny.toml), of the packages that the pages are built with.

interface Locked {
  version?: string;
  license?: string;
  integrity?: string;
  resolved?: string;
  hasInstallScript?: boolean;
}

const read = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> };
const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
// MPL-2.0 binds its own files only; what is under it (axe-core, lightningcss) builds and tests the pages and isn't in them.
const allowed = new Set(['0BSD', 'Apache-2.0', 'BSD-3-Clause', 'ISC', 'MIT', 'MPL-2.0']);

test('every package has a licence that we may ship', () => {
  expect(packages.length).toBeGreaterThan(50);
  expect(packages.filter(([, { license }]) => !allowed.has(license ?? '')).map(([path, { license }]) => `${path}: ${license}`)).toEqual([]);
});

test('every package is the one that was locked, and runs nothing when it is installed', () => {
  for (const [path, { integrity, hasInstallScript, resolved }] of packages) {
    expect(integrity, path).toMatch(/^sha512-/);
    expect(hasInstallScript ?? false, path).toBe(false);
    // From the registry, whichever that is here: neither a repository nor somebody's archive.
    expect(resolved ?? 'https://', path).toMatch(/^https:/);
  }
});

test('versions are exact, so that an update is a commit', () => {
  const asked = JSON.parse(read('package.json')) as { dependencies: Record<string, string>; devDependencies: Record<string, string> };
  for (const [name, version] of Object.entries({ ...asked.dependencies, ...asked.devDependencies })) expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
});
