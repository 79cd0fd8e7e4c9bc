import { closeSync, constants, existsSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { formatAttribute, trimLabel } from "../../../selinux/context.ts";
import { parseSelinuxConfig } from "../../../selinux/contexts-files.ts";
import type { LoadedPolicy } from "../../selinux.ts";

const SELINUXFS = "/sys/fs/selinux";
const CHUNK_BYTES = 65_536;
/** Files of a policy for svirt's decisions, below its folder `contexts`. */
const CONTEXTS_FILES = [
  ...[
    "virtual_domain_context",
    "virtual_image_context",
    "files/file_contexts",
    "files/file_contexts.homedirs",
  ],
  ...["files/file_contexts.local", "files/file_contexts.subs", "files/file_contexts.subs_dist"],
];
let configRead: { readonly name: string | undefined } | undefined;

/** Implements Host.getPolicy. */
export function getPolicy(): LoadedPolicy | undefined {
  if (!existsSync(`${SELINUXFS}/policyvers`)) return undefined;
  const read = (name: string): string => readFileSync(`${SELINUXFS}/${name}`, "utf8").trim();
  return {
    version: Number(read("policyvers")),
    isMls: read("mls") === "1",
    denyUnknown: read("deny_unknown") === "1",
    sha256: digestPolicy(),
    contexts: digestContexts(),
  };
}

/** Implements Host.getOwnContext. proc_pid_attr(5) */
export function getOwnContext(): string | undefined {
  try {
    const text = trimLabel(readFileSync("/proc/thread-self/attr/current", "utf8"));
    return text === "" ? undefined : text;
  } catch {
    return undefined;
  }
}

/**
 * Implements Host.isValidContext: the kernel answers a write to selinuxfs "context" with EINVAL for an
 * invalid context.
 */
export function isValidContext(context: string): boolean {
  try {
    writeOnce(`${SELINUXFS}/context`, `${context}\0`);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EINVAL") return false;
    throw error;
  }
}

/**
 * Sets the context of this thread's new sockets; an empty context clears it. Synchronous, because the kernel
 * keeps it per thread. proc_pid_attr(5)
 */
export function setSocketContext(context: string): void {
  writeOnce("/proc/thread-self/attr/sockcreate", formatAttribute(context));
}

/**
 * Sets the context of this thread's new files, including sockets' names; an empty context clears it.
 * Synchronous, because the kernel keeps it per thread. proc_pid_attr(5)
 */
export function setFileContext(context: string): void {
  writeOnce("/proc/thread-self/attr/fscreate", formatAttribute(context));
}

function digestPolicy(): string | undefined {
  try {
    return new Bun.CryptoHasher("sha256").update(readFileSync(`${SELINUXFS}/policy`)).digest("hex");
  } catch {
    return undefined;
  }
}

/**
 * The digest of the policy in the kernel has none of these files. Their bytes are joined with names and
 * lengths, so that no two sets are alike.
 */
function digestContexts(): string | undefined {
  const hasher = new Bun.CryptoHasher("sha256");
  const found = CONTEXTS_FILES.filter((name) => {
    try {
      const bytes = readBytes(`/etc/selinux/${getPolicyName() ?? "targeted"}/contexts/${name}`);
      hasher.update(`${name}\0${bytes.length}\0`).update(bytes);
      return true;
    } catch {
      return false;
    }
  });
  return found.length === 0 ? undefined : hasher.digest("hex");
}

/**
 * Reads a file without stat(), which readFileSync() calls: the policy lets svirt read contexts files only.
 */
function readBytes(path: string): Uint8Array {
  const fd = openSync(path, "r");
  try {
    const parts: Uint8Array[] = [];
    for (;;) {
      const chunk = new Uint8Array(CHUNK_BYTES);
      const count = readSync(fd, chunk);
      if (count === 0) return Buffer.concat(parts);
      parts.push(chunk.subarray(0, count));
    }
  } finally {
    closeSync(fd);
  }
}

/** Returns SELINUXTYPE of /etc/selinux/config. Reads it once, since each query of a label needs it. */
export function getPolicyName(): string | undefined {
  if (configRead === undefined) {
    try {
      const name = parseSelinuxConfig(readFileSync("/etc/selinux/config", "utf8"), "SELINUXTYPE");
      configRead = { name };
    } catch {
      configRead = { name: undefined };
    }
  }
  return configRead.name;
}

/** Writes without O_CREAT and O_TRUNC: the policy would have to allow them. */
function writeOnce(path: string, text: string): void {
  const fd = openSync(path, constants.O_WRONLY);
  try {
    writeSync(fd, text);
  } finally {
    closeSync(fd);
  }
}
