import { closeSync, fstatSync, openSync, readlinkSync, realpathSync } from "node:fs";
import type { FileId } from "../../../plan/facts/file.ts";
import type { FileAttributes } from "../../file-attributes.ts";
import type { FileFacts, OpenedFile } from "../../files.ts";
import { nativeName, textOfName } from "../calls/native-name.ts";
import { attributesAt } from "../labels/xattr.ts";
import { fileFacts, O_PATH, openPath, withFile } from "./file-id.ts";
import { unlessMissing } from "./files.ts";
import { askServer } from "./stat-open.ts";

/** Link targets that are not usable paths: a removed name, a pipe, a mount out of reach. */
const NO_PATH = /^(?!\/)| \(deleted\)$/;

/** Implements Host.inspectFile. */
export function inspectFile(path: string): FileFacts | undefined {
  return look(path, (facts) => facts);
}

/** Implements Host.withInspected. */
export function withInspected<Result>(path: string, use: (file: OpenedFile) => Result): Result | undefined {
  return look(path, (facts, fd) => {
    askServer(fd, facts);
    return use({ facts, ...attributesAt({ at: `/proc/self/fd/${fd}`, shown: facts.id.path }) });
  });
}

/** Implements Host.withAttributes. */
export function withAttributes<Result>(file: FileId, use: (attributes: FileAttributes) => Result): Result {
  return withFile(file, (at, fd) => {
    askServer(fd, { id: file });
    return use(attributesAt({ at, shown: file.path }));
  });
}

function look<Result>(path: string, use: (facts: FileFacts, fd: number) => Result): Result | undefined {
  const opened = openWithFacts(path);
  if (opened === undefined) return undefined;
  try {
    return use(opened.facts, opened.fd);
  } finally {
    closeSync(opened.fd);
  }
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
