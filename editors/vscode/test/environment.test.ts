/** Where the server is found, asked of real interpreters: PYTHON has the server, the environments made here do not. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, test } from "node:test";

import { environmentsOf, expanded, findServer, programsOf } from "../src/environment.ts";
import type { Candidate } from "../src/environment.ts";

const python = process.env["PYTHON"] ?? "python3";
const interpreter = (path: string): Candidate => ({ kind: "interpreter", path, origin: "the test" });
const program = (path: string): Candidate => ({ kind: "program", path, origin: "the test" });

let folder = "";
let withServer = "";
let bare = "";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "environment-"));
  withServer = execFileSync(python, ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }).trim();
  execFileSync(python, ["-m", "venv", "--without-pip", join(folder, ".venv")]);
  [bare = ""] = environmentsOf(folder).map((candidate) => candidate.path);
});

after(() => rmSync(folder, { recursive: true }));

test("an interpreter with the server starts it", async () => {
  const { server } = await findServer([interpreter(withServer)]);
  assert.equal(server?.command, withServer);
  const help = execFileSync(server.command, [...server.arguments, "--help"], { encoding: "utf8" });
  assert.match(help, /server/);
});

test("the program starts it as well", async () => {
  const [found] = programsOf(dirname(withServer));
  assert.ok(found);
  const { server } = await findServer([found]);
  assert.deepEqual(server?.arguments, ["server"]);
  assert.match(server.version, /^\d+\.\d+/);
});

test("the first that can is taken, and the others say why not", async () => {
  const { server, refusals } = await findServer([
    interpreter(join(folder, "nowhere")),
    interpreter(folder),
    interpreter(bare),
    interpreter(withServer),
  ]);
  assert.equal(server?.command, withServer);
  assert.deepEqual(
    refusals.map(({ reason, installable }) => [reason, installable]),
    [
      ["no such file", false],
      ["no such file", false],
      ["does not have pybackend-lint", true],
    ],
  );
});

test("pybackend-lint without its server is told from no pybackend-lint", async () => {
  const packages = join(folder, "packages");
  mkdirSync(join(packages, "pybackend_lint-1.0.dist-info"), { recursive: true });
  writeFileSync(
    join(packages, "pybackend_lint-1.0.dist-info", "METADATA"),
    "Metadata-Version: 2.1\nName: pybackend-lint\nVersion: 1.0\n",
  );
  process.env["PYTHONPATH"] = packages;
  try {
    const { refusals } = await findServer([interpreter(bare)]);
    assert.equal(refusals[0]?.reason, "has pybackend-lint without its server");
  } finally {
    delete process.env["PYTHONPATH"];
  }
});

test("programs that are something else, or fail, are passed over", { skip: process.platform === "win32" }, async () => {
  const script = (name: string, text: string): Candidate => {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return program(path);
  };
  const { server, refusals } = await findServer([script("other", "echo flake8 7.0"), script("broken", "exit 3")]);
  assert.equal(server, undefined);
  assert.equal(refusals[0]?.reason, "is not pybackend-lint");
  assert.match(refusals[1]?.reason ?? "", /^cannot be run/);
});

test("a project cannot slip a module into the interpreter that is asked", async () => {
  const project = join(folder, "project");
  mkdirSync(project);
  const trace = join(project, "imported");
  writeFileSync(join(project, "json.py"), `open(${JSON.stringify(trace)}, "w")\n`);
  const before = process.cwd();
  process.chdir(project);
  try {
    const { server } = await findServer([interpreter(withServer)]);
    assert.equal(server?.command, withServer);
    assert.throws(() => execFileSync("test", ["-e", trace]));
  } finally {
    process.chdir(before);
  }
});

test("the search path and the placeholders of settings", () => {
  assert.deepEqual(programsOf(["", folder, join(folder, "no")].join(delimiter)), []);
  assert.equal(expanded("~/bin/x", undefined), join(homedir(), "bin/x"));
  assert.equal(expanded("${workspaceFolder}/x", "/p"), "/p/x");
  assert.equal(expanded("~user/x", "/p"), "~user/x");
});
