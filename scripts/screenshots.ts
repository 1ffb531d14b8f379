/** The pictures of the README, of the images that the demo had judged. */
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { DemoName } from './demo/images.ts';

type Shot = {
  file: string;
  image: DemoName;
  width: number;
  height: number;
  colorScheme: 'light' | 'dark';
  locale: string;
  /** What the picture begins with, where that is not the top of the page. */
  from?: string;
};

const SHOTS: readonly Shot[] = [
  { file: 'verdict.png', image: 'stuffed', width: 1100, height: 1340, colorScheme: 'light', locale: 'en-GB' },
  { file: 'layers.png', image: 'stuffed', width: 1100, height: 750, colorScheme: 'dark', locale: 'en-GB', from: '#layers' },
  { file: 'phone.png', image: 'honest', width: 390, height: 1090, colorScheme: 'light', locale: 'fr-FR' },
];
/** A README is read over slow lines too. */
const BYTES_MAX = 200_000;
const CHROMIUM = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

const url = process.argv[2] ?? 'http://127.0.0.1:8080';
const docs = join(import.meta.dirname, '../docs');

async function newestOf(image: DemoName): Promise<string> {
  const answer = await fetch(`${url}/v1/verifications?image=demo/shop:${image}&limit=1`);
  const { items } = (await answer.json()) as { items: { id: string }[] };
  if (items[0] === undefined) throw new Error(`no verification of ${image} at ${url}: is the demo running?`);
  return `${url}/verifications/${items[0].id}`;
}

await mkdir(docs, { recursive: true });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: CHROMIUM });
try {
  for (const { file, image, width, height, colorScheme, locale, from } of SHOTS) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, locale });
    const tab = await context.newPage();
    await tab.goto(await newestOf(image));
    const box = from === undefined ? null : await tab.locator(from).boundingBox();
    const path = join(docs, file);
    await tab.screenshot({ path, fullPage: true, clip: { x: 0, y: Math.max(0, (box?.y ?? 0) - 20), width, height } });
    await context.close();
    const { size } = await stat(path);
    if (size > BYTES_MAX) throw new Error(`${path} has ${size} bytes, more than ${BYTES_MAX}`);
    process.stdout.write(`${path}: ${size} bytes\n`);
  }
} finally {
  await browser.close();
}
