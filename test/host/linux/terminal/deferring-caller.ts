import { makeLinuxHost } from "../../../../src/host/linux/linux-host.ts";

/**
 * Sends itself the signal named by its first argument while it defers signals. Fails then if there is a
 * second argument.
 */
const [, , signal = "", fails] = process.argv;
try {
  await makeLinuxHost().deferSignals(async () => {
    process.kill(process.pid, signal);
    await Bun.sleep(50);
    process.stdout.write("done\n");
    if (fails !== undefined) throw new Error("a failure");
  });
  await Bun.sleep(10_000);
  process.stdout.write("not ended\n");
} catch (error) {
  process.stdout.write(`${error}\n`);
  process.exitCode = 1;
}
