import { makeLinuxHost } from "../../../../src/host/linux/linux-host.ts";

/**
 * Talks to the console named by its first argument until Ctrl and ], or until a file with the name of the
 * second one exists, and prints how that ended.
 */
const host = makeLinuxHost();
const facts = host.inspectFile(process.argv[2] ?? "");
if (facts === undefined) throw new Error("nothing is there");
const end = await host.talk(facts, {
  leaveBy: 0x1d,
  isAskedFor: () => host.readText(process.argv[3] ?? "/none") !== undefined,
  onOpen: () => void process.stdout.write(`connected ${process.pid}\n`),
});
process.stdout.write(`ended: ${end}\n`);
