import * as v from "valibot";
import { commandsOf } from "../../qemu/monitor/plug-commands.ts";
import type { LaunchSpec } from "../facts/launch-spec.ts";
import type { FolderLimit } from "../facts/step-parts.ts";

// Rule: The folder of a guest has a limit of bytes and inodes.

const MIB = 1024 * 1024;
/**
 * Sockets, files with process numbers, links, a screenshot: everything except memory that is kept in files.
 */
const OWN: FolderLimit = { bytes: 64 * MIB, inodes: 1024 };

/** Memory backend in a file. qemu.git qapi/qom.json MemoryBackendFileProperties */
const backend = v.object({ "mem-path": v.string(), size: v.number() });

/**
 * Returns the size limit of a guest's folder, which is in memory. It includes the guest's memory if kept in
 * files there (`<source type='file'/>` of `<memoryBacking>`).
 */
export function limitFolder({ words, workFolder }: Pick<LaunchSpec, "words" | "workFolder">): FolderLimit {
  if (!words.some((word) => word.includes("mem-path"))) return OWN;
  const isInside = (path: string | undefined): boolean => path?.startsWith(`${workFolder}/`) === true;
  const pieces = commandsOf(words).flatMap((command) => {
    const read = v.safeParse(backend, command.arguments);
    return read.success && isInside(read.output["mem-path"]) ? [read.output.size] : [];
  });
  const whole = isInside(wordAfter(words, "-mem-path")) ? [wholeSize(words)] : [];
  const bytes = [...pieces, ...whole].reduce((sum, size) => sum + Math.ceil(size / MIB) * MIB, OWN.bytes);
  return { ...OWN, bytes };
}

/** Returns the bytes of `-m size=65536k,...`. */
function wholeSize(words: readonly string[]): number {
  const [, kiB = "0"] = /^size=(\d+)k/.exec(wordAfter(words, "-m") ?? "") ?? [];
  return Number(kiB) * 1024;
}

function wordAfter(words: readonly string[], option: string): string | undefined {
  const at = words.indexOf(option);
  return at === -1 ? undefined : words[at + 1];
}
