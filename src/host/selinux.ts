import type { FileType } from "./file-attributes.ts";

/** State of SELinux in the kernel. */
export interface SelinuxState {
  readonly mode: "enforcing" | "permissive" | "disabled";
  /** SELINUXTYPE of /etc/selinux/config: the folder below /etc/selinux. */
  readonly policyName: string | undefined;
}

/** Facts about the policy loaded in the kernel. */
export interface LoadedPolicy {
  readonly version: number;
  readonly isMls: boolean;
  readonly denyUnknown: boolean;
  /** SHA-256 of the loaded policy; undefined if svirt is not permitted to read it. */
  readonly sha256: string | undefined;
  /**
   * SHA-256 of the names, lengths and bytes of the files that name the contexts of guests and files;
   * undefined if there are none.
   */
  readonly contexts: string | undefined;
}

/** An access by a process with a context to a file with a label. */
export interface FileAccess {
  readonly context: string;
  readonly label: string;
  readonly type: FileType;
  readonly permissions: readonly ("lock" | "read" | "write")[];
}

/** SELinux and its log. */
export interface SelinuxHost {
  getSelinux(): SelinuxState;
  /** Returns the mode of getSelinux(), at the cost of reading a small file. */
  getSelinuxMode(): SelinuxState["mode"];
  /** Returns svirt's context; undefined without SELinux. */
  getOwnContext(): string | undefined;
  /** Returns whether the context is valid in the loaded policy. selinuxfs "context" */
  isValidContext(context: string): boolean;
  /**
   * Returns whether the loaded policy allows all permissions of the access; true without SELinux. selinuxfs
   * "access"
   */
  mayAccess(access: FileAccess): boolean;
  /**
   * Returns the kernel log, a record per line, prefixed with the priority; undefined if svirt is not
   * permitted to read it. dev-kmsg
   */
  readKernelLog(): readonly string[] | undefined;
  /** Returns undefined without SELinux. */
  getPolicy(): LoadedPolicy | undefined;
}
