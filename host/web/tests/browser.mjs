// In Chromium: the controls move what they say, by mouse and by keyboard; the digests are those of this machine; pictures are taken.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";

const { NTKSCOPE_URL: url, NTKSCOPE_DRIVER: driver, NTKSCOPE_CHROMIUM: executablePath, NTKSCOPE_PICTURES: pictures } = process.env;
const { chromium } = createRequire(join(driver, "package.json"))("playwright-core");
const expected = JSON.parse(readFileSync(process.env.NTKSCOPE_EXPECTED, "utf8"));
const [first, second] = expected.runs;

let browser;
before(async () => {
  // without a sandbox, which root cannot have
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
});
after(() => browser?.close());

const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } };

/** An open page, and what has gone wrong on it. */
async function open(size, options = {}) {
  const context = await browser.newContext({ viewport: SIZES[size], ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && wrong.push(message.text()));
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("request", (request) => request.url().startsWith(url) || request.url().startsWith("data:") || wrong.push(request.url()));
  await page.goto(url);
  return { page, wrong, close: () => context.close() };
}

/** Moves a slider to a place by the keyboard. */
async function move(page, id, steps) {
  await page.focus(`#${id}`);
  await page.keyboard.press("Home");
  for (let k = 0; k < steps; k += 1) await page.keyboard.press("ArrowRight");
}

const done = (page) => page.waitForSelector('#status[data-done="true"]', { timeout: 60_000 });
const words = (page, id) => page.textContent(`#${id}`);

test("the keyboard sets a run, whose digest is that of the command line", async () => {
  const { page, wrong, close } = await open("desktop");
  await page.waitForFunction(() => document.querySelectorAll("svg").length === 5);
  await move(page, "width", 1);
  assert.equal(await words(page, "width-value"), "16");
  await done(page);
  assert.equal(await words(page, "run-digest"), first.digest);
  assert.equal(await words(page, "command"), first.command);
  await move(page, "loss", 1);
  await page.waitForFunction((digest) => document.getElementById("run-digest").textContent === digest, second.digest);
  assert.equal(await words(page, "command"), second.command);
  await page.waitForFunction((digest) => document.getElementById("device-digest").textContent === digest, expected.device);
  assert.deepEqual(wrong, []);
  await close();
});

test("every control changes what is drawn, and says so", async () => {
  const { page, wrong, close } = await open("desktop");
  await move(page, "width", 1);
  await done(page);
  const seen = new Set();
  const drawn = async () => {
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    return page.evaluate(() => [...document.querySelectorAll("svg")].map((svg) => svg.innerHTML).join(""));
  };
  seen.add(await drawn());
  for (const [id, steps, said] of [["time", 12, "10¹"], ["loss", 1, "squared error"], ["init", 1, "standard"], ["depth", 2, "3"], ["seed", 1, "2"]]) {
    await move(page, id, steps);
    assert.equal(await words(page, `${id}-value`), said);
    assert.ok(await page.getAttribute(`#${id}`, "aria-valuetext"));
    await done(page);
    const now = await drawn();
    assert.ok(!seen.has(now), `${id} changes nothing`);
    seen.add(now);
  }
  assert.deepEqual(wrong, []);
  await close();
});

test("a control that moves ends the run before it", async () => {
  const { page, wrong, close } = await open("desktop");
  await move(page, "width", 5);
  await move(page, "depth", 3);
  await page.waitForFunction(() => /^at t/.test(document.getElementById("progress").textContent), null, { timeout: 30_000 });
  await move(page, "width", 1);
  await move(page, "depth", 1);
  await done(page);
  assert.equal(await words(page, "run-digest"), first.digest);
  assert.deepEqual(wrong, []);
  await close();
});

test("every question sets what it asks for, and has an answer", async () => {
  const { page, wrong, close } = await open("desktop");
  const buttons = await page.$$("[data-set]");
  assert.equal(await page.locator("details").count(), 3);
  assert.ok(buttons.length >= 6);
  for (const button of buttons) {
    const [wanted] = (await button.getAttribute("data-set")).split(" ");
    await button.click();
    assert.equal(`width=${await words(page, "width-value")}`, wanted);
    assert.doesNotMatch(await words(page, "status"), /undefined|NaN/);
  }
  assert.deepEqual(wrong, []);
  await close();
});

test("every control is reached by Tab and shows that it is", async () => {
  const { page, close } = await open("desktop");
  await done(page);
  const reached = new Set();
  for (let k = 0; k < 30; k += 1) {
    await page.keyboard.press("Tab");
    reached.add(await page.evaluate(() => {
      const { id, tagName } = document.activeElement;
      const { outlineStyle } = getComputedStyle(document.activeElement);
      return outlineStyle === "none" && tagName !== "BODY" ? `${id || tagName} unseen` : id || tagName;
    }));
  }
  for (const id of ["width", "depth", "init", "loss", "seed", "time", "copy", "SUMMARY", "BUTTON"]) assert.ok(reached.has(id), id);
  assert.deepEqual([...reached].filter((name) => name.endsWith("unseen")), []);
  await close();
});

for (const [name, size, options] of [
  ["phone", "phone", { hasTouch: true, isMobile: true, deviceScaleFactor: 2 }],
  ["desktop", "desktop", {}],
  ["dark", "desktop", { colorScheme: "dark" }],
  ["phone-dark", "phone", { hasTouch: true, isMobile: true, deviceScaleFactor: 2, colorScheme: "dark" }],
]) {
  test(`a picture: ${name}`, async () => {
    const { page, wrong, close } = await open(size, options);
    await done(page);
    await page.waitForFunction((digest) => document.getElementById("device-digest").textContent === digest, expected.device);
    await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(wide, 0, "the page moves sideways");
    // no text of a figure leaves it, and none lies on another
    const clashes = await page.evaluate(() => {
      const found = [];
      for (const svg of document.querySelectorAll("svg")) {
        const frame = svg.getBoundingClientRect();
        const boxes = [...svg.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
        boxes.forEach(([text, box], k) => {
          if (box.left < frame.left || box.right > frame.right || box.top < frame.top || box.bottom > frame.bottom) found.push(`${text} leaves`);
          for (const [other, b] of boxes.slice(k + 1)) {
            const across = Math.min(box.right, b.right) - Math.max(box.left, b.left);
            const down = Math.min(box.bottom, b.bottom) - Math.max(box.top, b.top);
            if (across > 1 && down > 3) found.push(`${text} on ${other}`);
          }
        });
      }
      return found;
    });
    assert.deepEqual(clashes, []);
    assert.deepEqual(wrong, []);
    await close();
  });
}
