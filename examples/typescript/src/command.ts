/**
 * Where the program is. A terminal finds it on the PATH; an editor that was started from a desktop often has a shorter
 * PATH than the user's shell, so the places where pipx, uv and Homebrew put commands are looked at as well.
 */

import { accessSync, constants, statSync } from "node:fs";
import { homedir } from "node:os";
import { posix, win32 } from "node:path";

import { CodeloupeError } from "./errors.ts";

/** What decides where a command is; a value of its own so that one system can be told from another in a test. */
export interface Machine {
  platform: NodeJS.Platform;
  home: string;
  runnable: (path: string) => boolean;
}

const HERE: Machine = { platform: process.platform, home: homedir(), runnable };

/** The file to run for a command's name or path. Throws CodeloupeError (`not_started`) where there is none. */
export function findCommand(command: string, env: Readonly<Record<string, string>>, machine = HERE): string {
  const found = candidates(command, env, machine).find(machine.runnable);
  if (found !== undefined) return found;
  const where = /[\\/]/.test(command) ? "there" : "on the PATH or in ~/.local/bin";
  throw new CodeloupeError(
    "not_started",
    `${command} is not ${where}; install it (pipx install codeloupe, uv tool install codeloupe), or give its path as command.`,
  );
}

/** Files that the command may be, likeliest first. */
export function candidates(command: string, env: Readonly<Record<string, string>>, machine: Machine): string[] {
  const { join, delimiter, isAbsolute, resolve } = machine.platform === "win32" ? win32 : posix;
  const endings = extensions(command, env, machine.platform);
  if (isAbsolute(command) || /[\\/]/.test(command)) return endings.map((ending) => resolve(command) + ending);
  const listed = (variable(env, "PATH") ?? "").split(delimiter).filter((directory) => directory !== "");
  const directories = [...listed, ...usual(machine)];
  return directories.flatMap((directory) => endings.map((ending) => join(directory, command) + ending));
}

/** On Windows a command's file has one of several endings, `.exe` for ours. */
function extensions(command: string, env: Readonly<Record<string, string>>, platform: NodeJS.Platform): string[] {
  if (platform !== "win32") return [""];
  const known = (variable(env, "PATHEXT") ?? ".COM;.EXE;.BAT;.CMD").toLowerCase().split(";").filter(Boolean);
  return known.includes(win32.extname(command).toLowerCase()) ? [""] : known;
}

function usual({ platform, home }: Machine): string[] {
  if (platform === "win32") return [win32.join(home, ".local", "bin")];
  return [posix.join(home, ".local", "bin"), "/opt/homebrew/bin", "/usr/local/bin"];
}

/** Windows writes `Path`, and does not mind. */
function variable(env: Readonly<Record<string, string>>, name: string): string | undefined {
  return env[name] ?? Object.entries(env).find(([key]) => key.toUpperCase() === name)?.[1];
}

function runnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
