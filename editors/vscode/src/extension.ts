/** The language server in VS Code: starts it, shows how it is, and offers its commands. */

import type { PythonExtension } from "@vscode/python-extension";
import * as vscode from "vscode";
import { ExecuteCommandRequest, LanguageClient, State } from "vscode-languageclient/node";
import type { StaticFeature } from "vscode-languageclient/node";

import { environmentsOf, expanded, findServer, programsOf } from "./environment.ts";
import type { Candidate, Refusal, Search } from "./environment.ts";

const name = "pybackend-lint";
// The client registers the server's own commands as `pybackend-lint.…`, and no two may have the same name.
const prefix = "pybackendLint";
const checkWorkspace = `${name}.checkWorkspace`;
const requirement = "pybackend-lint[lsp]";
const documents = [
  { scheme: "file", language: "python" },
  { scheme: "file", pattern: "**/pyproject.toml" },
];
const startsAnew = ["interpreter", "path", "arguments"].map((key) => `${name}.${key}`);

/**
 * Lets the server tell of findings when it has them. A client that asks for them asks for the whole workspace
 * again and again, and shows those of closed files twice after the command that checks the workspace.
 */
const noPulling: StaticFeature = {
  fillClientCapabilities(capabilities) {
    delete capabilities.textDocument?.diagnostic;
    delete capabilities.workspace?.diagnostics;
  },
  initialize() {},
  getState: () => ({ kind: "static" }),
  clear() {},
};

/** The Python extension's interface, if that extension is there. */
async function pythonExtension(): Promise<PythonExtension | undefined> {
  const extension = vscode.extensions.getExtension<PythonExtension>("ms-python.python");
  if (extension === undefined) return undefined;
  const python = extension.isActive ? extension.exports : await extension.activate();
  await python.ready;
  return python;
}

/** Everything that may hold the server, what is preferred first. */
async function candidates(log: vscode.LogOutputChannel): Promise<Candidate[]> {
  const settings = vscode.workspace.getConfiguration(name);
  const folders = vscode.workspace.workspaceFolders ?? [];
  const first = folders[0];
  const found: Candidate[] = [];
  const add = (kind: Candidate["kind"], path: string | null | undefined, origin: string): void => {
    if (path) found.push({ kind, path: expanded(path, first?.uri.fsPath), origin });
  };
  add("interpreter", settings.get<string | null>("interpreter"), `the setting ${name}.interpreter`);
  try {
    const python = await pythonExtension();
    if (python !== undefined) {
      const selected = python.environments.getActiveEnvironmentPath(first?.uri);
      const environment = await python.environments.resolveEnvironment(selected);
      add("interpreter", environment?.executable.uri?.fsPath, "the selected interpreter");
    }
  } catch (error) {
    log.warn(`The Python extension does not tell which interpreter is selected: ${String(error)}`);
  }
  add("program", settings.get<string | null>("path"), `the setting ${name}.path`);
  found.push(...folders.flatMap((folder) => environmentsOf(folder.uri.fsPath)));
  found.push(...programsOf(process.env["PATH"] ?? ""));
  return found.filter((one, at) => found.findIndex((other) => other.path === one.path) === at);
}

/** The server of this window: at most one runs; starts and stops wait for each other. */
class Session implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private queue: Promise<void> = Promise.resolve();
  private readonly status = vscode.window.createStatusBarItem(`${name}.status`, vscode.StatusBarAlignment.Right, 50);

  constructor(private readonly log: vscode.LogOutputChannel) {
    this.status.name = name;
    this.status.command = `${prefix}.showLog`;
  }

  dispose(): void {
    this.status.dispose();
  }

  restart(): Promise<void> {
    return this.after(async () => {
      await this.end();
      await this.begin();
    });
  }

  stop(): Promise<void> {
    return this.after(() => this.end());
  }

  private after(work: () => Promise<void>): Promise<void> {
    this.queue = this.queue.then(work).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      this.log.error(reason);
      this.show("error", `The server did not start: ${reason}`);
    });
    return this.queue;
  }

  private async begin(): Promise<void> {
    this.show("loading~spin", "Looking for the server");
    const search = await findServer(await candidates(this.log));
    for (const { candidate, reason } of search.refusals) {
      this.log.info(`Not from ${candidate.origin}: ${candidate.path} ${reason}`);
    }
    const { server } = search;
    if (server === undefined) {
      this.show("warning", "Not installed");
      void this.tellHowToInstall(search);
      return;
    }
    const settings = vscode.workspace.getConfiguration(name);
    const args = [...server.arguments, ...settings.get<string[]>("arguments", [])];
    this.log.info(`Starting ${[server.command, ...args].join(" ")} (${server.version}, from ${server.origin})`);
    const client = new LanguageClient(
      name,
      name,
      { command: server.command, args },
      {
        documentSelector: documents,
        outputChannel: this.log,
        initializationOptions: settings,
        middleware: {
          workspace: {
            // Not to a server that is about to be replaced because of the same change.
            didChangeConfiguration: async (sections, next) => {
              await this.queue;
              if (this.client === client) await next(sections);
            },
          },
        },
      },
    );
    client.registerFeature(noPulling);
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Running) {
        this.show("check", `Version ${server.version} from ${server.origin}\n\n${server.command}`);
      } else if (newState === State.Starting) {
        this.show("loading~spin", "Starting");
      } else if (this.client === client) {
        this.show("error", "The server has stopped");
      }
    });
    this.client = client;
    await client.start();
  }

  private async end(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    await client?.dispose().catch((error: unknown) => this.log.warn(`The server did not stop: ${String(error)}`));
  }

  private show(icon: string, tooltip: string): void {
    this.status.text = `$(${icon}) ${name}`;
    this.status.tooltip = `${name}: ${tooltip}`;
    this.status.show();
  }

  private async tellHowToInstall({ refusals }: Search): Promise<void> {
    const where = refusals.find((refusal) => refusal.installable);
    const install = "Install";
    const choose = "Open Settings";
    const again = "Try Again";
    const message =
      where === undefined
        ? `Install "${requirement}" into the project's environment, or name a ${name} in the settings.`
        : `${where.candidate.path} ${where.reason}. Install "${requirement}" there?`;
    const answer = await vscode.window.showWarningMessage(message, ...(where ? [install] : [choose]), again);
    if (answer === install && where !== undefined) await this.install(where);
    else if (answer === choose) await vscode.commands.executeCommand("workbench.action.openSettings", name);
    else if (answer === again) await this.restart();
  }

  /** Runs pip in a terminal, where the user sees what it does, and starts the server after it. */
  private async install({ candidate }: Refusal): Promise<void> {
    const command = new vscode.ProcessExecution(candidate.path, ["-m", "pip", "install", requirement]);
    const task = new vscode.Task({ type: "process" }, vscode.TaskScope.Workspace, `Install ${name}`, name, command);
    const execution = await vscode.tasks.executeTask(task);
    const listener = vscode.tasks.onDidEndTaskProcess((event) => {
      if (event.execution !== execution) return;
      listener.dispose();
      if (event.exitCode === 0) void this.restart();
    });
  }

  async checkWorkspace(): Promise<void> {
    const client = this.client;
    if (client === undefined || !client.isRunning()) {
      void vscode.window.showWarningMessage(`The server of ${name} does not run.`);
      return;
    }
    await vscode.commands.executeCommand("workbench.panel.markers.view.focus");
    try {
      await client.sendRequest(ExecuteCommandRequest.type, { command: checkWorkspace, arguments: [] });
    } catch (error) {
      this.log.warn(`The workspace was not checked to the end: ${String(error)}`);
    }
  }
}

let session: Session | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel(name, { log: true });
  const current = new Session(log);
  session = current;
  const command = (id: string, run: () => unknown): vscode.Disposable =>
    vscode.commands.registerCommand(`${prefix}.${id}`, run);
  context.subscriptions.push(
    log,
    current,
    command("restart", () => current.restart()),
    command("showLog", () => log.show()),
    command("checkWorkspace", () => current.checkWorkspace()),
    command("fixAll", () =>
      vscode.commands.executeCommand("editor.action.codeAction", { kind: `source.fixAll.${name}`, apply: "first" }),
    ),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (startsAnew.some((setting) => event.affectsConfiguration(setting))) void current.restart();
    }),
  );
  await current.restart();
  const python = await pythonExtension().catch(() => undefined);
  if (python !== undefined) {
    context.subscriptions.push(python.environments.onDidChangeActiveEnvironmentPath(() => void current.restart()));
  }
}

export async function deactivate(): Promise<void> {
  await session?.stop();
}
