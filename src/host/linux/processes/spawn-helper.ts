import { closeSync, existsSync } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { HelperSpec } from "../../../plan/facts/launch-spec.ts";
import { runBeside } from "../calls/program-turns.ts";
import { withFile } from "../files/file-id.ts";
import { openLog } from "./guest-log.ts";
import { LIMIT_DESCRIPTORS } from "./limit-descriptors.ts";

const READY_TIMEOUT_MS = 30_000;
const POLL_MS = 2;

/**
 * Script setting the helper's context in the helper's later process, after it has dropped root: no context,
 * no process. `$0` is the context, empty for none. `$1` is the limit on descriptors, empty for svirt's own
 * limit.
 */
const BECOME = `${LIMIT_DESCRIPTORS}
limit "$1" || exit
shift
if [ -n "$0" ]; then printf %s "$0" >/proc/self/attr/exec || exit; fi
exec "$@"`;

/** Implements Host.spawnHelper. */
export async function spawnHelper(order: HelperSpec): Promise<void> {
  await runBeside(async () => await startHelper(order));
}

async function startHelper(order: HelperSpec): Promise<void> {
  const log = openLog(order.logFile);
  try {
    const user = String(order.uid);
    const drop = [
      "--no-new-privs",
      "--reuid",
      user,
      "--regid",
      user,
      "--clear-groups",
      "--inh-caps=-all",
      "--bounding-set=-all",
    ];
    const words = [
      ...["/usr/bin/setpriv", ...drop, "--"],
      ...["/bin/sh", "-c", BECOME, order.context ?? "", String(order.mostDescriptors ?? "")],
      ...[order.program, ...order.words],
    ];
    const helper = inFolder(order.workFolder, (cwd) =>
      // A separate session, to outlive svirt. setsid(2)
      Bun.spawn(words, { cwd, env: { ...order.environment }, detached: true, stdio: ["ignore", log, log] }),
    );
    helper.unref();
    await waitUntilReady(order, () => helper.exitCode);
  } finally {
    closeSync(log);
  }
}

/** Runs `use` with a path valid in the new process too. */
function inFolder<Result>(folder: HelperSpec["workFolder"], use: (path: string) => Result): Result {
  if (typeof folder === "string") return use(folder);
  return withFile(folder, (opened) => use(opened.replace("/self/", `/${process.pid}/`)));
}

async function waitUntilReady(order: HelperSpec, getExitCode: () => number | null): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (!existsSync(order.ready)) {
    const code = getExitCode();
    if (code !== null) {
      throw new SvirtError(`Cannot start ${order.program}: it ended with status ${code}`, {
        kind: "failed",
        remedy: `See ${order.logFile}, and install ${order.program} if it is missing.`,
      });
    }
    if (performance.now() > deadline) {
      throw new SvirtError(`Cannot start ${order.program}: it did not become ready in time`, {
        kind: "timeout",
        remedy: `See ${order.logFile}`,
      });
    }
    await Bun.sleep(POLL_MS);
  }
}
