import { runCommandLine } from "../../src/cli/run-command.ts";
import type { Machine } from "../memory-host/machine.ts";
import { nodeFor } from "../scenes/scene.ts";

/** Output of a command line, and its exit code. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one command line on a machine in memory. */
export async function runOn(machine: Machine, ...words: readonly string[]): Promise<Said> {
  return await runMeanwhile(machine, words, () => undefined);
}

/** Runs one command line as runOn(), and other work at each text that it prints. */
export async function runMeanwhile(
  machine: Machine,
  words: readonly string[],
  onText: (text: string) => void,
): Promise<Said> {
  let [out, err] = ["", ""];
  const print = (text: string): void => {
    out += text;
    onText(text);
  };
  const warn = (text: string): void => {
    err += text;
    onText(text);
  };
  const instance = nodeFor(machine, machine.svirt().host);
  const code = await runCommandLine({
    words,
    instance,
    output: {
      print,
      printBytes: (bytes) => print(new TextDecoder().decode(bytes)) === undefined,
      printSoon: async (text) => print(text) === undefined,
      warn,
    },
    version: "1.2.3",
  });
  return { code, out, err };
}
