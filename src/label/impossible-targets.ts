import { SvirtError } from "../errors.ts";

/**
 * What no guest's file can be: the system's own programs, settings and secrets, the kernel's file systems, and svirt's
 * own records. A definition that names one is a mistake or an attack: relabelling it would break the host.
 */
const FORBIDDEN: readonly string[] = [
  "/bin",
  "/etc",
  "/lib",
  "/lib64",
  "/proc",
  "/root/.ssh",
  "/run/svirt",
  "/sbin",
  "/sys",
  "/usr/bin",
  "/usr/lib",
  "/usr/lib64",
  "/usr/sbin",
  "/var/lib/svirt",
  "/var/log/svirt",
];

/** Throws "denied" when a path, with its symlinks resolved, may not be labelled or handed to any guest. */
export function refuseImpossibleTarget(path: string): void {
  if (!belongsToHost(path)) return;
  throw new SvirtError(`Cannot give ${path} to a guest: it belongs to the host`, {
    kind: "denied",
    remedy: "Put the guest's files elsewhere, such as /var/lib/libvirt/images.",
  });
}

/** Whether a path, with its symlinks resolved, is a file that the host's packages have installed. */
export function isInstalled(path: string): boolean {
  return path.startsWith("/usr/");
}

/** Throws "denied" for such a file, where a guest would write it. */
export function refuseInstalled(path: string): void {
  if (!isInstalled(path)) return;
  throw new SvirtError(`Cannot let a guest write ${path}: it belongs to the host`, {
    kind: "denied",
    remedy: "Give the guest a copy of it.",
  });
}

/** Whether a path, with its symlinks resolved, is one of the host's own. */
export function belongsToHost(path: string): boolean {
  return path === "/" || FORBIDDEN.some((folder) => path === folder || path.startsWith(`${folder}/`));
}
