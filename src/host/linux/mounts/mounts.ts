import { closeSync, fstatSync, openSync, readlinkSync } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { MountHost, OpenedMount } from "../../mounts.ts";
import { EBUSY, ENODEV } from "../calls/errno.ts";
import { callFacts } from "../calls/errno-remedy.ts";
import { hostCallError } from "../calls/libc.ts";
import { O_PATH, withFile } from "../files/file-id.ts";
import { attributesAt } from "../labels/xattr.ts";
import { askChild, askChildBriefly, type Child } from "./ask-child.ts";
import { moveMount } from "./mount-calls.ts";

/** Implements MountHost without its list. */
export const mountCalls: Omit<MountHost, "listMounts"> = { openMount, unmount, hasAnswer };

/**
 * Opens a file system in a child, which is killed if a server does not answer: such a call waits for hours,
 * and only a fatal signal ends it.
 */
async function openMount(order: Parameters<MountHost["openMount"]>[0]): Promise<OpenedMount> {
  const attempt = `mount ${order.source}`;
  const { answer, child } = await askChild({ work: "mount", order }, attempt);
  try {
    if ("errno" in answer) throw failure(attempt, answer);
    // The descriptor of the child leads to the root of a mount that no path leads to. proc_pid_fd(5)
    const fd = "fd" in answer ? answer.fd : undefined;
    return opened(openSync(`/proc/${child.pid}/fd/${fd}`, O_PATH), child, order.source);
  } catch (error) {
    await child.end();
    throw error;
  }
}

function opened(fd: number, child: Child, source: string): OpenedMount {
  return {
    ...attributesAt({ at: `/proc/self/fd/${fd}`, shown: source }),
    inode: String(fstatSync(fd, { bigint: true }).ino),
    attach(folder) {
      withFile(folder, (at) => {
        refuseMoved(folder, at);
        const target = Number(at.slice(at.lastIndexOf("/") + 1));
        const failed = moveMount(fd, target);
        if (failed !== undefined) throw hostCallError(`mount ${source} at ${folder.path}`, failed.errno);
      });
    },
    async close() {
      closeSync(fd);
      await child.end();
    },
  };
}

/**
 * Throws "denied" for a folder that has another path now: the mount would be there, and svirt would look for
 * it here.
 */
function refuseMoved({ path }: FileId, at: string): void {
  const now = readlinkSync(at);
  if (now === path) return;
  throw new SvirtError(`Cannot mount at ${path}: the folder is ${now} now`, {
    kind: "denied",
    remedy: "Find the program that replaces folders there, then try again.",
  });
}

async function unmount(...[above, path, limitMs]: Parameters<MountHost["unmount"]>): Promise<void> {
  const attempt = `unmount ${path}`;
  const { answer, child } = await askChild({ work: "unmount", above, path }, attempt, { limitMs });
  await child.end();
  if (!("errno" in answer)) return;
  if (answer.errno !== EBUSY) throw failure(attempt, answer);
  throw new SvirtError(`Cannot ${attempt}: a program uses a file in it`, {
    kind: "in-use",
    remedy: `List the programs: fuser --mount ${path}`,
  });
}

async function hasAnswer(path: string, limitMs: number): Promise<boolean> {
  return await askChildBriefly({ work: "look", path }, limitMs);
}

function failure(
  attempt: string,
  { errno, why }: { readonly errno: number; readonly why: string },
): SvirtError {
  const lacks = {
    kind: "unsupported",
    remedy: "Load or install the kernel's module for that file system: modprobe TYPE",
  } as const;
  return new SvirtError(`Cannot ${attempt}: ${why}`, errno === ENODEV ? lacks : callFacts(errno));
}
