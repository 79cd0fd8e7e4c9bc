import { version } from "../package.json";
import { runCommandLine } from "./cli/run-command.ts";
import { SYSTEM_PATHS } from "./plan/paths.ts";

/** Given by scripts/build: the version with the commit it was built from. */
declare const SVIRT_VERSION: string | undefined;

const { makeLinuxHost } = await import("./host/linux/linux-host.ts");
const { writeOut } = await import("./host/linux/write-out.ts");

process.exitCode = await runCommandLine({
  words: process.argv.slice(2),
  node: { host: makeLinuxHost(), paths: SYSTEM_PATHS },
  output: {
    print: (text) => writeOut(1, text),
    warn: (text) => writeOut(2, text),
  },
  version: typeof SVIRT_VERSION === "string" ? SVIRT_VERSION : version,
});
