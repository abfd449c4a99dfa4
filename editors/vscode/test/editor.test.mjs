/**
 * The extension in a real editor: VS Code for the browser in a headless Chromium, set up by the steps of
 * docs/editors/index.md. Run by `nox -s vscode`. Environment: CODE_SERVER, the folder where
 * install-code-server.mjs has installed it; CLONE, a copy of the repository in which the steps are done;
 * PYTHON, an interpreter with the server; PYTHON_EXTENSION, the `.vsix` of the Python extension, if it is
 * there; SCREENSHOT, where to put the picture for the documentation; FAILURES, where to put pictures of the
 * editor when a test fails; CHROMIUM, the browser.
 */

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import * as runner from "node:test";

import { chromium } from "playwright-core";

import { program } from "./install-code-server.mjs";

const clone = process.env.CLONE;
const python = process.env.PYTHON;
const pythonExtension = process.env.PYTHON_EXTENSION;
const patience = 60_000;
const settings = {
  "chat.commandCenter.enabled": false,
  "editor.minimap.enabled": false,
  "files.autoSave": "off",
  "git.enabled": false,
  "python.languageServer": "None",
  "security.workspace.trust.enabled": false,
  "telemetry.telemetryLevel": "off",
  "window.commandCenter": false,
  "window.menuBarVisibility": "compact",
  "workbench.colorTheme": "Default Light Modern",
  "workbench.layoutControl.enabled": false,
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
};

let scratch;
let environment;
let server;
let port;
let browser;
let page;
let opened;

/** The commands of the three steps below a heading of the page for newcomers. */
function steps(heading) {
  const text = readFileSync(join(clone, "docs/editors/index.md"), "utf8");
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  const commands = [...section.matchAll(/^ {4}```console\n([^]*?)^ {4}```/gm)].map((match) => match[1].replace(/^ {4}/gm, ""));
  assert.equal(commands.length, 3);
  return commands;
}

/** A program `code` like that of a desktop: it installs extensions, and notes what it is asked to open. */
function desktopProgram(folder) {
  mkdirSync(folder);
  const path = join(folder, "code");
  const arguments_ = `--user-data-dir "${scratch}/data" --extensions-dir "${scratch}/extensions"`;
  writeFileSync(
    path,
    `#!/bin/sh
case "$1" in
  --*) exec "${process.execPath}" "${program(process.env.CODE_SERVER)}" ${arguments_} "$@" ;;
  *) realpath "$@" > "${scratch}/opened" ;;
esac
`,
  );
  chmodSync(path, 0o755);
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const found = probe.address().port;
      probe.close(() => resolve(found));
    });
  });
}

async function until(condition, what) {
  for (const end = Date.now() + patience; Date.now() < end; ) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited in vain for ${what}`);
}

async function open(folder, file) {
  const payload = JSON.stringify([["openFile", `vscode-remote://127.0.0.1:${port}${file}`]]);
  await page.goto(`http://127.0.0.1:${port}/?folder=${encodeURI(folder)}&payload=${encodeURIComponent(payload)}`);
  await page.locator(".editor-instance .view-line").first().waitFor({ timeout: patience });
}

async function command(title) {
  await page.keyboard.press("F1");
  await page.locator(".quick-input-widget input").first().fill(`>${title}`);
  await page.locator(".quick-input-list .monaco-list-row").filter({ hasText: title }).first().click({ timeout: patience });
}

/** Opens a file beside the one that the steps open. */
async function openFile(name) {
  const row = page.locator(".explorer-folders-view .monaco-list-row").filter({ has: page.getByText(name, { exact: true }) });
  await row.first().dblclick({ timeout: patience });
  await page.locator(".tab.active", { hasText: name }).waitFor({ timeout: patience });
}

const status = () => page.locator(".statusbar-item", { hasText: "pybackend-lint" });

/** Waits until the server runs; its origin must be as the item in the status bar says. */
async function running(origin) {
  await status().locator(".codicon-check").waitFor({ timeout: patience });
  await until(async () => (await status().locator("a").getAttribute("aria-label"))?.includes(`from ${origin}`), origin);
}

/** Writes the settings of the workspace. */
function configure(folder, values) {
  mkdirSync(join(folder, ".vscode"), { recursive: true });
  writeFileSync(join(folder, ".vscode/settings.json"), JSON.stringify(values));
}

async function goTo(line, column = 1) {
  await page.keyboard.press("Control+g");
  await page.locator(".quick-input-widget input").first().fill(`:${line}:${column}`);
  await page.keyboard.press("Enter");
}

/** The path of a file beside the one that the steps open; that one itself without a name. */
const pathOf = (name) => (name === undefined ? opened[1] : join(dirname(opened[1]), name));
const textOf = (name) => readFileSync(pathOf(name), "utf8");

/** The row and column, from 1, of a text in the file on the disk. */
function placeOf(text, name) {
  const lines = textOf(name).split("\n");
  const row = lines.findIndex((line) => line.includes(text));
  assert.notEqual(row, -1, text);
  return [row + 1, lines[row].indexOf(text) + 1];
}

/** Filters what the panel shows. */
async function filter(text) {
  await page.locator(".markers-panel-action-filter input, .viewpane-filter input").first().fill(text.replaceAll("!", ""));
}

/** The rows of the problems panel with a text: the panel draws only rows in view, so it is told to filter. */
async function problems(text) {
  await filter(text);
  return page.locator(".markers-panel .monaco-list-row").filter({ hasText: text });
}

/** Waits for a finding. The panel does not look again at what its filter has hidden, so it is filtered anew. */
async function appears(text) {
  await until(async () => {
    await problems("");
    const row = (await problems(text)).first();
    return row.waitFor({ timeout: 2000 }).then(() => true, () => false);
  }, text);
}

/** Does something that must make a finding go away. */
async function removes(text, action) {
  await appears(text);
  await action();
  await page.locator(".markers-panel .monaco-list-row", { hasText: text }).first().waitFor({ state: "detached", timeout: patience });
}

async function save() {
  await page.locator(".tab.active.dirty").waitFor({ timeout: patience });
  await page.keyboard.press("Control+s");
  await page.locator(".tab.active.dirty").waitFor({ state: "detached", timeout: patience });
}

/** Applies the action of the light bulb with this title at the cursor. */
async function act(title) {
  await page.keyboard.press("Control+.");
  const actions = page.locator(".action-widget .monaco-list-row.action");
  await actions.filter({ hasText: title }).first().waitFor({ timeout: patience });
  const focused = page.locator(".action-widget .monaco-list-row.action.focused");
  for (let tried = await actions.count(); tried > 0; tried--) {
    if ((await focused.textContent())?.includes(title)) break;
    await page.keyboard.press("ArrowDown");
  }
  await page.keyboard.press("Enter");
}

/** A test that leaves a picture of the editor and its logs in the folder FAILURES when it fails. */
function test(name, ...rest) {
  const run = rest.pop();
  runner.test(name, ...rest, async () => {
    try {
      await run();
    } catch (error) {
      const folder = process.env.FAILURES;
      if (folder) {
        await page.screenshot({ path: join(folder, `${name.replaceAll(/\W+/g, "-")}.png`) });
        cpSync(join(scratch, "data/logs"), join(folder, "logs"), { recursive: true });
      }
      throw error;
    }
  });
}

runner.before(async () => {
  scratch = mkdtempSync(join(tmpdir(), "editor-"));
  desktopProgram(join(scratch, "bin"));
  environment = { ...process.env, PATH: `${join(scratch, "bin")}${delimiter}${process.env.PATH}` };
  for (const step of steps("VS Code")) {
    execFileSync("sh", ["-e", "-c", step], { cwd: clone, env: environment, stdio: ["ignore", "ignore", "inherit"] });
  }
  opened = readFileSync(join(scratch, "opened"), "utf8").trim().split("\n");

  const wheels = join(scratch, "wheels"); // what pip finds when the extension installs
  execFileSync(python, ["-m", "pip", "wheel", "-q", "--no-deps", "-w", wheels, clone], { stdio: "ignore" });

  mkdirSync(join(scratch, "data/User"), { recursive: true });
  writeFileSync(join(scratch, "data/User/settings.json"), JSON.stringify(settings));
  port = await freePort();
  const options = ["--auth=none", `--bind-addr=127.0.0.1:${port}`, "--disable-telemetry", "--disable-update-check"];
  const folders = [`--user-data-dir=${scratch}/data`, `--extensions-dir=${scratch}/extensions`];
  server = spawn(process.execPath, [program(process.env.CODE_SERVER), ...options, ...folders], {
    env: { ...process.env, PIP_FIND_LINKS: wheels },
    stdio: "ignore",
  });
  await until(() => fetch(`http://127.0.0.1:${port}/healthz`).then((answer) => answer.ok, () => false), "the editor");

  const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", ...quiet],
  });
  page = await browser.newPage({ viewport: { width: 1100, height: 700 } });
});

runner.after(async () => {
  await browser?.close();
  server?.kill();
  rmSync(scratch, { recursive: true, force: true });
});

test("the file of the example has squiggles and problems", async () => {
  await open(...opened);
  await page.locator(".squiggly-error, .squiggly-warning").first().waitFor({ timeout: patience });
  await page.keyboard.press("Control+Shift+m");
  await appears("Call `charge` in a thread");
  await appears("Use `session.get(Coupon, ...)`");
  await problems("");
  await running("the workspace's environment");
});

test("the picture of the documentation", async () => {
  await page.keyboard.press("Control+b");
  await problems("charge");
  await goTo(...placeOf("async def place_order"));
  await page.locator(".view-line", { hasText: "charge(order.reference" }).getByText("charge").first().hover();
  await page.locator(".monaco-hover-content", { hasText: "PB600" }).first().waitFor({ timeout: patience });
  await page.waitForTimeout(500);
  await page.screenshot({ path: process.env.SCREENSHOT ?? join(scratch, "picture.png") });
  await page.keyboard.press("Control+b");
});

test("the quick fix changes the text and removes the finding", async () => {
  await removes("Use `session.get(Coupon, ...)`", async () => {
    await goTo(...placeOf("session.query(Coupon).get("));
    await act("Use `Session.get()`");
  });
  await save();
  assert.match(textOf(), /return session\.get\(Coupon, /);
});

test("what is typed in one file counts in another one before it is saved", async () => {
  const comment = async () => {
    await goTo(...placeOf("requests.post(", "payments.py"));
    await page.keyboard.press("Control+/");
  };
  await openFile("payments.py");
  await removes("Call `charge` in a thread", comment);
  await comment();
  await appears("Call `charge` in a thread");
});

test("fix all repairs what is safe and leaves the rest", async () => {
  await openFile("schemas.py");
  await removes("an annotation cannot call `constr`", () =>
    command("pybackend-lint: Fix All Safe Findings in This File"),
  );
  await appears("Annotate `note` as `str | None`");
  await save();
  assert.match(textOf("schemas.py"), /Annotated\[str, Field\(/);
});

test("checking the workspace finds what is in files that are not open", async () => {
  await command("pybackend-lint: Check the Workspace");
  await appears("Delete `USE_L10N`");
});

test("settings count at once", async () => {
  const [folder] = opened;
  await removes("Annotate `note` as `str | None`", () => configure(folder, { "pybackend-lint.ignore": ["PB022"] }));
  configure(folder, { "pybackend-lint.severity": { PB600: "error" } });
  await appears("Annotate `note` as `str | None`");
  await appears("Call `charge` in a thread");
  await (await problems("Call `charge` in a thread")).first().locator(".codicon-error").waitFor({ timeout: patience });
});

test("the server can be started again, and the log tells of it", async () => {
  await command("pybackend-lint: Restart the Server");
  await appears("Annotate `note` as `str | None`");
  await running("the workspace's environment");
  const log = page.locator(".output-view .view-lines", { hasText: /Starting.*from\s+the\s+workspace's\s+environment/ });
  for (const show of [() => status().click(), () => command("pybackend-lint: Show the Log")]) {
    await show();
    await until(async () => {
      await filter(""); // it is the same as in the problems panel
      return log.isVisible();
    }, "the log");
    assert.doesNotMatch(await log.textContent(), /\[error\]/);
    await page.keyboard.press("Control+j");
    await log.waitFor({ state: "detached", timeout: patience });
  }
});

test("the settings say which server is started", async () => {
  const folder = join(scratch, "named");
  mkdirSync(folder);
  writeFileSync(join(folder, "app.py"), "import asyncio\n");
  const programs = dirname(python);
  symlinkSync(join(programs, "pybackend-lint"), join(folder, "linter"));
  configure(folder, { "pybackend-lint.path": "${workspaceFolder}/linter" });
  await open(folder, join(folder, "app.py"));
  await running("the setting pybackend-lint.path");
  configure(folder, { "pybackend-lint.path": "${workspaceFolder}/linter", "pybackend-lint.interpreter": python });
  await running("the setting pybackend-lint.interpreter");
});

test("where nothing is installed, a message offers to install it", async () => {
  const folder = join(scratch, "empty");
  mkdirSync(folder);
  execFileSync(python, ["-m", "venv", join(scratch, "environment")]); // now, as messages do not wait long
  writeFileSync(join(folder, "app.py"), "import time\n\n\nasync def wait():\n    time.sleep(1)\n");
  await open(folder, join(folder, "app.py"));
  const message = (text) => page.locator(".notification-list-item", { hasText: text });
  const answer = (text, title) =>
    message(text).getByRole("button", { name: title, exact: true }).click({ timeout: patience });
  await message('Install "pybackend-lint[lsp]"').waitFor({ timeout: patience });
  renameSync(join(scratch, "environment"), join(folder, ".venv"));
  await answer('Install "pybackend-lint[lsp]"', "Try Again");
  await answer("does not have pybackend-lint", "Install");
  await running("the workspace's environment");
  await page.locator(".squiggly-error, .squiggly-warning").first().waitFor({ timeout: patience });
});

test("the interpreter that the Python extension has selected is asked", { skip: !pythonExtension }, async () => {
  const folder = join(scratch, "selected");
  mkdirSync(folder);
  writeFileSync(join(folder, "app.py"), "import asyncio\n");
  execFileSync(python, ["-m", "venv", "--without-pip", join(folder, ".venv")]);
  configure(folder, { "python.defaultInterpreterPath": python });
  execFileSync("code", ["--install-extension", pythonExtension], { env: environment, stdio: "ignore" });
  await open(folder, join(folder, "app.py"));
  await running("the selected interpreter");
});
