import { makeLinuxHost } from "../../../../src/host/linux/linux-host.ts";

/** Opens the file named by its first argument in the editor, and prints the error if that fails. */
try {
  await makeLinuxHost().editFile(process.argv[2] ?? "");
} catch (error) {
  process.stderr.write(String(error));
  process.exitCode = 1;
}
