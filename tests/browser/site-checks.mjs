// What holds for every page of the site, however wide, light or dark it is.

import assert from "node:assert/strict";
import { join } from "node:path";

const WIDTHS = [360, 768, 1280];
const SCHEMES = ["light", "dark"];

/** The contrast that WCAG's level AA asks of text. */
const CONTRAST = 4.5;

/** Waits until a part of the page says something. */
export const has = (page, selector, text) => page.locator(selector, { hasText: text }).first().waitFor();

export const read = (page, selector) => page.locator(selector).textContent();
export const texts = (page, selector) => page.locator(selector).allTextContents();

/** Takes pictures of a page; nothing is wider than the window, and all text can be read. */
export async function looks(page, name, shots) {
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(() => window.scrollTo(0, 0));
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      await page.waitForTimeout(250);
      const look = `${name} ${width} ${colorScheme}`;
      await page.screenshot({ path: join(shots, `${look.replaceAll(" ", "-")}.png`), fullPage: true });
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wider <= 0, `${look}: the page is ${wider} px wider than the window`);
      assert.deepEqual(await page.evaluate(faint, CONTRAST), [], `${look}: text is too faint`);
    }
  }
}

/** In the page: texts with less contrast to what is behind them. */
function faint(least) {
  const numbers = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const light = (colour) => {
    const [r, g, b] = numbers(colour).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const shape = element.closest(".mark")?.querySelector("path");
    if (shape) return getComputedStyle(shape).fill;
    for (let at = element; at; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if (numbers(backgroundColor)[3] !== 0) return backgroundColor;
    }
    return "rgb(255, 255, 255)";
  };
  const found = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (texts.currentNode.textContent.trim() === "" || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const [front, back] = [element instanceof SVGElement ? style.fill : style.color, behind(element)];
    const [low, high] = [light(front), light(back)].sort((a, b) => a - b);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < least) found.add(`${element.tagName} ${contrast.toFixed(2)}: ${element.textContent.trim().slice(0, 40)}`);
  }
  return [...found];
}

/** Tab alone reaches all that can be used, in the order of the page, and one sees where one is. */
export async function keyboard(page, name) {
  const expected = await page.evaluate(() => {
    // It begins before everything, wherever the visit ended.
    document.body.tabIndex = -1;
    document.body.focus();
    const all = document.querySelectorAll("a[href], button, input, textarea, select, summary");
    const usable = [...all].filter((element) => element.checkVisibility() && !element.disabled);
    // Of radio buttons that are one choice, Tab reaches the chosen one.
    const stops = usable.filter(({ type, checked }) => type !== "radio" || checked);
    stops.forEach((element, place) => (element.dataset.stop = place));
    return stops.length;
  });
  const seen = [];
  for (let press = 0; press < expected; press++) {
    await page.keyboard.press("Tab");
    const [stop, outlined] = await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      return [Number(document.activeElement.dataset.stop), outlineStyle !== "none" && outlineWidth !== "0px"];
    });
    assert.ok(outlined, `${name}: nothing shows that stop ${press} has the focus`);
    seen.push(stop);
  }
  assert.deepEqual(seen, Array.from({ length: expected }, (_, place) => place), `${name}: the order of Tab`);
}

/** Landmarks are there once, and everything that is used has a name. */
export async function named(page, name) {
  for (const landmark of ["main", "nav", "h1", "header", "footer"]) {
    assert.equal(await page.locator(landmark).count(), 1, `${name}: one ${landmark}`);
  }
  const nameless = await page.evaluate(() =>
    [...document.querySelectorAll("a, button, input:not([type=file]), textarea, progress, [role=img]")]
      .filter((element) => element.checkVisibility())
      .filter((element) => {
        const label = element.ariaLabel ?? element.labels?.[0]?.textContent ?? element.textContent;
        return !label.trim() && !element.getAttribute("aria-labelledby");
      })
      .map((element) => element.outerHTML.slice(0, 80)),
  );
  assert.deepEqual(nameless, [], `${name}: what has no name`);
}
