import { closeSync, fstatSync, openSync, readlinkSync, realpathSync } from "node:fs";
import type { FileId } from "../../../plan/facts/file.ts";
import type { FileAttributes } from "../../file-attributes.ts";
import type { FileFacts, OpenedFile } from "../../files.ts";
import { nativeName, textOfName } from "../calls/native-name.ts";
import { InspectedAttributes, OpenAttributes } from "../labels/xattr.ts";
import { fileFacts, isSameFile, O_PATH, openInspected, openPath, replaced } from "./file-id.ts";
import { unlessMissing } from "./files.ts";
import { identifyOpen, statOpen } from "./stat-open.ts";

/** Link targets that are not usable paths: a removed name, a pipe, a mount out of reach. */
const NO_PATH = /^(?!\/)| \(deleted\)$/;

/** Implements Host.inspectFile. */
export function inspectFile(path: string): FileFacts | undefined {
  const opened = openWithFacts(path);
  if (opened === undefined) return undefined;
  closeSync(opened.fd);
  return opened.facts;
}

/** Implements Host.withInspected. */
export function withInspected<Result>(path: string, use: (file: OpenedFile) => Result): Result | undefined {
  const opened = unlessMissing(`inspect ${path}`, () => openReal(path));
  if (opened === undefined) return undefined;
  const { fd, real } = opened;
  try {
    const facts = statOpen(fd, real);
    if (facts === undefined) throw replaced(path);
    return useAttributes(fd, facts, use);
  } finally {
    closeSync(fd);
  }
}

/** Implements Host.withAttributes. */
export function withAttributes<Result>(file: FileId, use: (attributes: FileAttributes) => Result): Result {
  const fd = openInspected(file.path);
  try {
    const identity = identifyOpen(fd, file.path);
    if (identity === undefined || !isSameFile(identity.id, file)) throw replaced(file.path);
    return useAttributes(fd, identity, use);
  } finally {
    closeSync(fd);
  }
}

function useAttributes<Facts extends Pick<FileFacts, "id" | "type">, Result>(
  fd: number,
  facts: Facts,
  use: (file: OpenAttributes<Facts>) => Result,
): Result {
  const opened = { at: `/proc/self/fd/${fd}`, facts, shown: facts.id.path };
  if (facts.type !== "file") return use(new OpenAttributes(opened));
  using attributes = new InspectedAttributes(opened);
  return use(attributes);
}

/** An inspected file, open for nothing else. */
export interface InspectedFile {
  readonly fd: number;
  readonly facts: FileFacts;
}

/**
 * Opens a file for inspection; undefined if it is missing. The caller closes the descriptor. Throws
 * "host-call".
 */
export function openWithFacts(path: string): InspectedFile | undefined {
  return unlessMissing(`inspect ${path}`, () => {
    const { fd, real } = openReal(path);
    try {
      return { fd, facts: fileFacts(real, fstatSync(fd, { bigint: true })) };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  });
}

/**
 * Opens a path and asks the kernel for its real path, so that both belong to the same moment. proc_pid_fd(5)
 */
function openReal(path: string): { readonly fd: number; readonly real: string } {
  const fd = openSync(nativeName(path), O_PATH);
  let real = "";
  try {
    real = textOfName(readlinkSync(`/proc/self/fd/${fd}`, "buffer"));
  } finally {
    if (NO_PATH.test(real)) closeSync(fd);
  }
  if (!NO_PATH.test(real)) return { fd, real };
  real = textOfName(realpathSync(nativeName(path), "buffer"));
  return { fd: openPath(real), real };
}
