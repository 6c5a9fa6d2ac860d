// Where the program is looked for on systems that this test does not run on. One JSON object out.
import { CodeloupeError } from "./codeloupe.ts";
import { candidates, findCommand, type Machine } from "./command.ts";

const windows: Machine = { platform: "win32", home: "C:\\Users\\ada", runnable: () => false };
const mac: Machine = { platform: "darwin", home: "/Users/ada", runnable: (path) => path.startsWith("/opt/homebrew") };
const env = { Path: "C:\\Python311\\Scripts;C:\\Windows", PATHEXT: ".COM;.EXE;.CMD" };

function refusal(command: string): string {
  try {
    return findCommand(command, env, windows);
  } catch (error) {
    if (!(error instanceof CodeloupeError)) throw error;
    return `${error.kind}: ${error.message}`;
  }
}

process.stdout.write(
  JSON.stringify({
    windows: candidates("codeloupe", env, windows),
    named: candidates("codeloupe.exe", env, windows),
    absolute: candidates("D:\\tools\\codeloupe", env, windows),
    unset: candidates("codeloupe", {}, windows),
    mac: findCommand("codeloupe", { PATH: "/usr/bin:/bin" }, mac),
    refusals: [refusal("codeloupe"), refusal("D:\\tools\\codeloupe.exe")],
  }),
);
