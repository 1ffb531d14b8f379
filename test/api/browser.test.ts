/** Every page in a real browser: policy, width, accessibility, keyboard, paper. What it looked like stays in test-output/pages. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { AxeResults } from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { sampleJob } from '../support/sample.ts';
import { startSamplePages } from '../support/sample-pages.ts';
import type { TestService } from '../support/service.ts';

/** Nothing but the pages is to be loaded, and nothing phoned home. */
const CHROMIUM = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const OUTPUT = join(import.meta.dirname, '../../test-output/pages');
const PHONE = 390;
const DESK = 1200;
/** Made of the same parts as others that are looked at. */
const ALIKE: ReadonlySet<string> = new Set(['partly', 'unsourced', 'unfound']);
/** Tabs at once. */
const TABS = 2;

let service: TestService;
let pages: Record<string, string>;
let browser: Browser;

before(async () => {
  [{ service, pages }, browser] = await Promise.all([
    startSamplePages(),
    chromium.launch({ executablePath: '/usr/bin/chromium', args: CHROMIUM }),
    rm(OUTPUT, { recursive: true, force: true }),
  ]);
  await mkdir(OUTPUT, { recursive: true });
});
after(async () => {
  await browser.close();
  await service.stop();
});

/** A tab that tells `faults` of all that a page must not do. */
async function openTab(context: BrowserContext, path: string, faults: string[]): Promise<Page> {
  const tab = await context.newPage();
  tab.on('console', (message) => faults.push(`${path}: ${message.text()}`));
  tab.on('pageerror', (error) => faults.push(`${path}: ${error.message}`));
  tab.on('dialog', (dialog) => void dialog.dismiss().then(() => faults.push(`${path}: ${dialog.message()}`)));
  tab.on('request', (asked) => {
    if (!asked.url().startsWith(service.url) && !asked.url().startsWith('data:')) faults.push(`${path} asks ${asked.url()}`);
  });
  await tab.goto(service.url + path, { waitUntil: 'load' });
  return tab;
}

const isTooWide = (tab: Page): Promise<boolean> => tab.evaluate('document.documentElement.scrollWidth > innerWidth');
const unfold = (tab: Page): Promise<void> => tab.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');

/** https://www.w3.org/TR/WCAG21/ at AA, with axe's best practices: order of headings, landmarks. */
const WCAG = { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] };
const COLOURS = { type: 'rule', values: ['color-contrast'] };

async function accessibilityFaults(tab: Page, where: string, runOnly: typeof WCAG): Promise<string[]> {
  const options = { runOnly, resultTypes: ['violations'] };
  const { violations } = await tab.evaluate<AxeResults>(`axe.run(document, ${JSON.stringify(options)})`);
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.slice(0, 3).map(({ html, failureSummary }) => `${where}: ${id} (${help}): ${html.slice(0, 200)} ${failureSummary ?? ''}`),
  );
}

/** Takes its pictures, then holds it against the rules with everything unfolded. */
async function look(context: BrowserContext, page: string, path: string, faults: string[]): Promise<void> {
  const tab = await openTab(context, path, faults);
  const picture = (name: string) => tab.screenshot({ path: join(OUTPUT, `${page}-${name}.png`), fullPage: true });
  await picture('light');
  await tab.emulateMedia({ colorScheme: 'dark' });
  await picture('dark');
  await tab.emulateMedia({ colorScheme: 'light' });
  await tab.setViewportSize({ width: PHONE, height: 800 });
  await picture('phone');
  if (await isTooWide(tab)) faults.push(`${page} is wider than ${PHONE} px`);
  await unfold(tab);
  if (await isTooWide(tab)) faults.push(`${page} is wider than ${PHONE} px when unfolded`);
  await tab.setViewportSize({ width: DESK, height: 800 });
  if (await isTooWide(tab)) faults.push(`${page} is wider than ${DESK} px`);
  await tab.evaluate(AXE);
  faults.push(...(await accessibilityFaults(tab, page, WCAG)));
  await tab.emulateMedia({ colorScheme: 'dark' });
  faults.push(...(await accessibilityFaults(tab, `${page}, dark`, COLOURS)));
  await tab.close();
}

describe('in a browser', () => {
  it('every page is accessible, no wider than the window, and breaks no policy', async (test) => {
    const context = await browser.newContext({ viewport: { width: DESK, height: 800 } });
    const faults: string[] = [];
    const waiting = Object.entries(pages)
      .filter(([name]) => !ALIKE.has(name))
      .values();
    const worker = async (): Promise<void> => {
      for (const [name, path] of waiting) await look(context, name, path, faults);
    };
    await Promise.all(Array.from({ length: TABS }, worker));
    await (await openTab(context, '/docs', faults)).close();
    await context.close();
    assert.deepEqual(faults, []);
    test.diagnostic(`pictures of the pages are in ${OUTPUT}`);
  });

  it('the page of a verdict is walked through by keyboard, and past its picture in one step', async () => {
    const tab = await browser.newPage({ viewport: { width: DESK, height: 800 } });
    await tab.goto(service.url + pages['backdoored']);
    const focused = (): Promise<{ name: string; seen: boolean; inPicture: boolean; inMain: boolean }> =>
      tab.evaluate(`(() => {
        const one = document.activeElement;
        const { outlineStyle, outlineWidth } = getComputedStyle(one);
        const { left, right, width, height } = one.getBoundingClientRect();
        return {
          name: one.getAttribute('href') ?? one.tagName,
          seen: outlineStyle !== 'none' && outlineWidth !== '0px' && width > 0 && height > 0 && left >= 0 && right <= innerWidth + 1,
          inPicture: one.closest('.picture') !== null,
          inMain: one.closest('main') !== null,
        };
      })()`);
    await tab.keyboard.press('Tab');
    assert.deepEqual(await focused(), { name: '#main', seen: true, inPicture: false, inMain: false });
    await tab.keyboard.press('Enter');
    const stops = [];
    for (let stop = 0; stop < 40; stop += 1) {
      await tab.keyboard.press('Tab');
      stops.push(await focused());
    }
    assert.ok(
      stops.every(({ inMain, seen }) => inMain && seen),
      JSON.stringify(stops.find(({ inMain, seen }) => !inMain || !seen)),
    );
    const past = stops.findIndex(({ name }) => name === '#past-picture');
    assert.ok(past > 0 && stops[past + 1]?.inPicture);
    // Folders with names alone: the areas are many, and each is reached through its folder's page.
    assert.ok(stops.filter(({ inPicture }) => inPicture).length < 20);

    await tab.focus('a[href="#past-picture"]');
    await tab.keyboard.press('Enter');
    await tab.keyboard.press('Tab');
    assert.match((await focused()).name, /\/contents$/);

    await tab.focus('.signed summary');
    await tab.keyboard.press('Enter');
    assert.ok(await tab.locator('.signed pre', { hasText: 'gpg --verify' }).isVisible());
    await tab.close();
  });

  it('prints the answer with the commands that check it, and not what is for a screen', async () => {
    const tab = await browser.newPage({ viewport: { width: 720, height: 1000 } });
    await tab.goto(service.url + pages['backdoored']);
    await tab.emulateMedia({ media: 'print' });
    for (const shown of ['h1', '.seal', '.answers', '.picture', '.finding']) assert.ok(await tab.locator(shown).first().isVisible(), shown);
    assert.ok(await tab.locator('.signed pre', { hasText: 'gpg --verify' }).isVisible());
    for (const hidden of ['.site nav', '.onpage', '.skip', '#packages ~ details'])
      assert.ok(!(await tab.locator(hidden).first().isVisible()), hidden);
    assert.ok((await tab.pdf({ format: 'A4', path: join(OUTPUT, 'backdoored.pdf') })).length > 10_000);
    await tab.close();
  });

  it('shows steps and log as they come, and the verdict when it is there', async () => {
    const { deps, progress } = service;
    const { verification } = await deps.records.accept(sampleJob('live', 'registry.example.org/live:1'), 'k3');
    const tab = await browser.newPage();
    await tab.goto(`${service.url}/verifications/${verification.id}`);
    await progress.step('live', 'pull');
    await progress.step('live', 'rebuild');
    progress.log('live', 'STEP 1: <img src=x onerror=alert(1)>');
    await tab.waitForSelector('#step-rebuild[aria-current=step]');
    await tab.waitForSelector('#step-pull.begun:not(.current)');
    await tab.locator('#log', { hasText: '<img src=x' }).waitFor();
    assert.equal(await tab.locator('#log img').count(), 0);
    await service.conclude('live', 'honest');
    await progress.end('live', 'done');
    await tab.waitForSelector('.hero.good');
    await tab.close();
  });
});
