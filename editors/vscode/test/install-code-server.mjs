/** Installs VS Code for the browser from npm: `node install-code-server.mjs FOLDER`; does nothing if it is there. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** The newest code-server for each major version of Node.js, which each release asks for exactly. */
const versions = { 20: "4.100.3", 22: "4.117.0", 24: "4.139.1" };

/** What the editor cannot do without; the other packages with native parts are for Windows and for signing in. */
const native = ["@parcel/watcher", "@vscode/spdlog", "native-watchdog", "node-pty"];

/** The program of code-server below a folder. */
export function program(folder) {
  return join(folder, "node_modules", "code-server", "out", "node", "entry.js");
}

/**
 * code-server's own installation script refuses to run for root and downloads programs from elsewhere. So no
 * script runs but those that compile the native parts, with the headers of this Node.js where it brings them.
 */
export function install(folder) {
  const version = versions[process.versions.node.split(".")[0]];
  if (version === undefined) throw new Error(`there is no code-server for Node.js ${process.versions.node}`);
  const stamp = join(folder, "installed");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === version) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), "{}\n");

  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, "include", "node", "node.h")) ? { npm_config_nodedir: prefix } : {};
  const env = { ...process.env, ...headers, npm_config_yes: "true" }; // a script asks npx for node-gyp
  const npm = (cwd, ...args) => execFileSync("npm", [...args, "--loglevel=error"], { cwd, env, stdio: "inherit" });
  npm(folder, "install", "--ignore-scripts", `code-server@${version}`);
  npm(folder, "rebuild", "argon2");
  const editor = join(folder, "node_modules", "code-server", "lib", "vscode");
  npm(editor, "install", "--ignore-scripts", "--omit=dev");
  npm(editor, "rebuild", ...native);
  symlinkSync("node_modules", join(editor, "node_modules.asar"));
  npm(join(editor, "extensions"), "install", "--ignore-scripts", "--omit=dev");
  writeFileSync(stamp, version);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) install(resolve(process.argv[2]));
