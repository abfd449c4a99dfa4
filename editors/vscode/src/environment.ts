/** Where the server is: looks through Python environments and programs, without the editor. */

import { execFile } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";

/** A place that may hold the server, and how the user would recognise it. */
export interface Candidate {
  readonly kind: "interpreter" | "program";
  readonly path: string;
  readonly origin: string;
}

/** How to start the server. */
export interface Server {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly version: string;
  readonly origin: string;
}

/** Why a candidate cannot start the server; `installable` if pip could change that. */
export interface Refusal {
  readonly candidate: Candidate;
  readonly reason: string;
  readonly installable: boolean;
}

export interface Search {
  readonly server: Server | undefined;
  readonly refusals: readonly Refusal[];
}

const windows = process.platform === "win32";
const probeTimeout = 20_000;

// Understood by every Python, also by those that are too old for the server.
const question = `
import json, sys
answer = {"python": "%d.%d" % sys.version_info[:2], "old": sys.version_info < (3, 11), "version": None, "pygls": False}
try:
    from importlib import metadata, util
    answer["pygls"] = util.find_spec("pygls") is not None
    answer["version"] = metadata.version("pybackend-lint")
except Exception:
    pass
print(json.dumps(answer))
`;

interface Answer {
  readonly python: string;
  readonly old: boolean;
  readonly version: string | null;
  readonly pygls: boolean;
}

/** Runs a program outside of the project, so that nothing in the project can take the place of a module. */
function output(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd: dirname(command), timeout: probeTimeout, windowsHide: true };
    execFile(command, [...args], options, (error, stdout) => (error ? reject(error) : resolve(stdout)));
  });
}

async function ask(candidate: Candidate): Promise<Server | Refusal> {
  const refusal = (reason: string, installable = false): Refusal => ({ candidate, reason, installable });
  if (!existsSync(candidate.path) || statSync(candidate.path).isDirectory()) return refusal("no such file");
  const found = { command: candidate.path, origin: candidate.origin };
  try {
    if (candidate.kind === "program") {
      const words = (await output(candidate.path, ["--version"])).trim().split(/\s+/);
      if (words[0] !== "pybackend-lint" || words[1] === undefined) return refusal("is not pybackend-lint");
      return { ...found, arguments: ["server"], version: words[1] };
    }
    const answer = JSON.parse(await output(candidate.path, ["-c", question])) as Answer;
    if (answer.old) return refusal(`is Python ${answer.python}; pybackend-lint needs 3.11 or newer`);
    if (answer.version === null) return refusal("does not have pybackend-lint", true);
    if (!answer.pygls) return refusal("has pybackend-lint without its server", true);
    // -P: the directory in which the server starts is no place to import from.
    return { ...found, arguments: ["-P", "-m", "pybackend_lint", "server"], version: answer.version };
  } catch (error) {
    return refusal(`cannot be run: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The first candidate that can start the server, and why those before it cannot. */
export async function findServer(candidates: readonly Candidate[]): Promise<Search> {
  const refusals: Refusal[] = [];
  for (const candidate of candidates) {
    const answer = await ask(candidate);
    if ("command" in answer) return { server: answer, refusals };
    refusals.push(answer);
  }
  return { server: undefined, refusals };
}

/** The interpreters of virtual environments in a workspace folder. */
export function environmentsOf(folder: string): Candidate[] {
  return [".venv", "venv"]
    .map((name) => join(folder, name, ...(windows ? ["Scripts", "python.exe"] : ["bin", "python"])))
    .filter((path) => existsSync(path))
    .map((path) => ({ kind: "interpreter", path, origin: "the workspace's environment" }));
}

/** `pybackend-lint` on the search path. */
export function programsOf(searchPath: string): Candidate[] {
  return searchPath
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, windows ? "pybackend-lint.exe" : "pybackend-lint"))
    .filter((path) => existsSync(path))
    .map((path) => ({ kind: "program", path, origin: "PATH" }));
}

/** A path from the settings, with `~` and `${workspaceFolder}` replaced. */
export function expanded(path: string, folder: string | undefined): string {
  const home = path === "~" || path.startsWith("~/") || path.startsWith("~\\") ? homedir() + path.slice(1) : path;
  return folder === undefined ? home : home.replaceAll("${workspaceFolder}", folder);
}
