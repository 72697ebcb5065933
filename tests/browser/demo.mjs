// The stage of the browser tests: one demo of the real binary, organisations that send to it by the command line, and a real
// browser that comes in with real certificates.
import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const CLIENT = "999990019";
export const HOSTILE = `"><script>document.title='taken'</script>'{{7*7}}<img src=x onerror=alert(1)>\u202e&amp;`;
export const example = (name) => fileURLToPath(new URL(`../data/documents/${name}.json`, import.meta.url));
export const document = (name) => readFileSync(example(name), "utf8");
export const shots = process.env.SCREENSHOTS || join(tmpdir(), "veldwacht-screenshots");
mkdirSync(shots, { recursive: true });

/** Starts the binary and reads what it says until it said this. */
export async function start(args, until) {
  const child = spawn(process.env.VELDWACHT, args, { stdio: ["ignore", "pipe", "inherit"] });
  let told = "";
  for await (const part of child.stdout) {
    told += part;
    if (until.test(told)) break;
  }
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const end = async (signal = "SIGINT") => {
    child.kill(signal);
    await ended;
  };
  return { told, end };
}

/** Plays the demo and leaves it open. */
export async function demo() {
  const root = mkdtempSync(join(tmpdir(), "veldwacht-browser-"));
  const folder = join(root, "d");
  const { told, end } = await start(["demo", "--serve", "--dir", folder], /beheerder-1 +http\S+\n/);
  const links = Object.fromEntries([...told.matchAll(/(\S+) +(http:\/\/localhost:\d+\/enter\/\S+)/g)].map((found) => [found[1], found[2]]));
  const origin = /console op (https:\/\/localhost:\d+)/.exec(told)?.[1];
  const gateway = /(localhost:\d+), met de certificaten/.exec(told)?.[1];
  assert.ok(links["officer-1"] && origin && gateway, told);
  const stage = { pki: join(folder, "pki"), folder, links, origin, gateway, stop: end };
  stage.end = async () => {
    await stage.stop();
    rmSync(root, { recursive: true, force: true });
  };
  return stage;
}

/** Runs a command as a system of an organisation; gives what it printed, whatever its status. */
export async function run(stage, command, system, ...args) {
  const all = [command, "--json", "--as", join(stage.pki, `${system}.pem`), ...args];
  const env = { ...process.env, VELDWACHT_GATEWAY: stage.gateway };
  const ran = promisify(execFile)(process.env.VELDWACHT, all, { env, cwd: stage.folder });
  const { stdout, stderr } = await ran.catch((failed) => failed);
  return { out: stdout, said: stdout + stderr };
}

/** The coach reports, in words that say too much, and asks to keep what comes back. Gives the delivery that is held. */
export async function hold(stage) {
  const to = ["--to", "00000099000000001000:klantmanager", "--purpose", "voortgang"];
  const what = ["--client", CLIENT, "--type", "werkfit.v1.Voortgangsrapportage", example("X11-voortgangsrapportage-verslaving-in-tekst")];
  const { out, said } = await run(stage, "send", "rib/coach", "--hold-for-release", ...to, ...what);
  const held = JSON.parse(out.split("\n")[0]).outcomes[0].held;
  assert.ok(held, said);
  return held;
}

/** The behandelaar answers in an emergency. */
export async function emergency(stage) {
  const to = ["--to", "00000099000000004000:coach", "--purpose", "afstemming", "--big", "19012345601", "--spoed", "gevaar_voor_client"];
  const { said } = await run(stage, "send", "ggz/behandelaar", ...to, "--client", CLIENT, "--type", "werkfit.v1.Afstemming", example("X10-antwoord"));
  assert.match(said, /"delivered"/);
}

export const browser = () => chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });

/** A window of an operator, who comes in with a certificate. What a page complains about fails the test. */
export async function enter(chrome, stage, who, options = {}) {
  const [certPath, keyPath] = [`${stage.pki}/operators/${who}.pem`, `${stage.pki}/operators/${who}.key.pem`];
  const context = await chrome.newContext({
    viewport: { width: 1366, height: 768 }, locale: "nl-NL", reducedMotion: "reduce", ignoreHTTPSErrors: true, baseURL: stage.origin,
    clientCertificates: [{ origin: stage.origin, certPath, keyPath }], ...options,
  });
  const page = await context.newPage();
  page.complaints = [];
  page.on("console", (message) => {
    const expected = page.unanswered ? /status of 4\d\d|net::ERR_/ : /status of 4\d\d/;
    if (message.type() === "error" && !expected.test(message.text())) page.complaints.push(message.text());
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

/** Does something that leads to another page, or to the same one anew, and waits for it. */
export async function arrive(page, act) {
  await page.evaluate(() => { window.left = true; });
  await act();
  // Not until the network is idle: a page that hears of new records never is.
  await page.waitForFunction(() => !window.left && document.readyState === "complete");
}

/** Sends the form that this button is in, and waits for what comes of it. */
export const send = (page, label) => arrive(page, () => page.getByRole("button", { name: label, exact: true }).first().click());
