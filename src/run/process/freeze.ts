import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { Step } from "../../plan/steps/step.ts";

// Rule: The processes of a guest are frozen while their files are inspected.

/**
 * Threads stop at their next return from the kernel; a thread that waits for a disk stops only when the disk
 * has answered.
 */
const FREEZE_TIMEOUT_MS = 1000;
const POLL_MS = 1;

/**
 * Calls `look` while the processes in the guest's control group are frozen: none passes a file to another
 * during the inspection. `done` are the guest's steps. Without a group, or on a kernel without freezing, it
 * calls `look` without it. Throws "partly" when they do not stop in time. cgroups(7)
 */
export async function whileFrozen<Result>(
  host: Host,
  done: readonly Step[],
  look: () => Result,
): Promise<Result> {
  const group = groupOf(done);
  if (group === undefined || host.readText(`${group}/cgroup.freeze`) === undefined) return look();
  try {
    host.writeControl(`${group}/cgroup.freeze`, "1");
    await waitUntilFrozen(host, group);
    return look();
  } finally {
    thaw(host, done);
  }
}

/** Lets a guest run after a killed svirt left it frozen. An unfrozen guest is not an error. */
export function thaw(host: Host, done: readonly Step[]): void {
  const group = groupOf(done);
  if (group === undefined || host.readText(`${group}/cgroup.freeze`)?.startsWith("1") !== true) return;
  host.writeControl(`${group}/cgroup.freeze`, "0");
}

function groupOf(done: readonly Step[]): string | undefined {
  return done.flatMap((step) => (step.do === "make-group" ? [step.group.path] : []))[0];
}

async function waitUntilFrozen(host: Host, group: string): Promise<void> {
  const until = host.nowMs() + FREEZE_TIMEOUT_MS;
  while (!/^frozen 1$/m.test(host.readText(`${group}/cgroup.events`) ?? "")) {
    if (host.nowMs() >= until) {
      throw new SvirtError(`Cannot inspect the guest's open files: its processes do not stop (${group})`, {
        kind: "partly",
        remedy:
          "Repeat the command, since a process waits for a device; if that does not help, end the guest: svirt destroy",
      });
    }
    await host.sleep(POLL_MS);
  }
}
