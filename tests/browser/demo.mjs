// The stage of the browser tests: one demo of the real binary, and a real browser that comes in with real certificates.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const CLIENT = "999990019";
export const shots = process.env.SCREENSHOTS || join(tmpdir(), "veldwacht-screenshots");
mkdirSync(shots, { recursive: true });

/** Plays the demo and leaves it open. */
export async function demo() {
  const folder = mkdtempSync(join(tmpdir(), "veldwacht-browser-"));
  const child = spawn(process.env.VELDWACHT, ["demo", "--serve", "--dir", join(folder, "d")], { stdio: ["ignore", "pipe", "inherit"] });
  let told = "";
  for await (const part of child.stdout) {
    told += part;
    if (/beheerder-1 +http\S+\n/.test(told)) break;
  }
  const links = Object.fromEntries([...told.matchAll(/(\S+) +(http:\/\/localhost:\d+\/enter\/\S+)/g)].map((found) => [found[1], found[2]]));
  const origin = /console op (https:\/\/localhost:\d+)/.exec(told)?.[1];
  assert.ok(links["officer-1"] && origin, told);
  return { pki: join(folder, "d/pki"), folder: join(folder, "d"), links, origin, end: () => child.kill("SIGINT") };
}

export const browser = () => chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });

/** A window of an operator, who comes in with a certificate. What a page complains about fails the test. */
export async function enter(chrome, stage, who, options = {}) {
  const [certPath, keyPath] = [`${stage.pki}/operators/${who}.pem`, `${stage.pki}/operators/${who}.key.pem`];
  const context = await chrome.newContext({
    viewport: { width: 1280, height: 800 }, locale: "nl-NL", ignoreHTTPSErrors: true, baseURL: stage.origin,
    clientCertificates: [{ origin: stage.origin, certPath, keyPath }], ...options,
  });
  const page = await context.newPage();
  page.complaints = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) page.complaints.push(message.text());
  });
  page.on("pageerror", (error) => page.complaints.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(stage.origin)) page.complaints.push("asks elsewhere: " + request.url());
  });
  return page;
}

/** Nothing to complain of: for axe-core (WCAG 2.2 AA), for the browser (content policy, script), or for the eye's records. */
export async function sound(page, name) {
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  }));
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ target, failureSummary }) => target + " " + failureSummary).join("; ")}`);
  assert.deepEqual(told, [], `axe on ${name}`);
  assert.deepEqual(page.complaints, [], `the browser on ${name}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 1, `${name} is ${wide} pixels wider than its window`);
}

/** Sends the form that this button is in, and waits for what comes of it. */
export async function send(page, label) {
  await Promise.all([page.waitForLoadState("load"), page.getByRole("button", { name: label, exact: true }).first().click()]);
  await page.waitForLoadState("networkidle");
}
