import { SvirtError } from "../errors.ts";

// Rule: A path of the system is never labelled.

/**
 * Folders closed to guests: the system's programs, settings and secrets, the kernel's file systems, and
 * svirt's records. A definition with such a file is a mistake or an attack: relabelling it would break the
 * host. FHS 3.0
 */
const FORBIDDEN: readonly string[] = [
  ...["/bin", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/sbin", "/sys"],
  ...["/usr/bin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/libx32", "/usr/sbin"],
  ...["/usr/local/bin", "/usr/local/lib", "/usr/local/lib64", "/usr/local/sbin"],
  ...["/root/.ssh", "/run/svirt", "/var/lib/svirt", "/var/log/svirt"],
];

const FORBIDDEN_STARTS: readonly string[] = FORBIDDEN.map((folder) => `${folder}/`);

/** Throws "denied" for a path, with its symlinks resolved, that must not be labelled or passed to a guest. */
export function refuseImpossibleTarget(path: string): void {
  if (!belongsToHost(path)) return;
  throw new SvirtError(`Cannot give ${path} to a guest: it belongs to the host`, {
    kind: "denied",
    remedy: "Put the guest's files elsewhere, such as /var/lib/libvirt/images.",
  });
}

/** Further folders of the host: a guest may share neither them nor folders below them. */
const HOST_FOLDERS: readonly string[] = ["/boot", "/dev", "/run", "/usr"];

/** Throws "denied" for a folder of the host, and for a folder around it. */
export function refuseHostFolder(path: string): void {
  const isAbove = FORBIDDEN.some((folder) => folder.startsWith(`${path}/`));
  const isBelow = HOST_FOLDERS.some((folder) => path === folder || path.startsWith(`${folder}/`));
  if (!isAbove && !isBelow && !belongsToHost(path)) return;
  throw new SvirtError(`Cannot share ${path} with a guest: the host's own files are there`, {
    kind: "denied",
    remedy: "Share a dedicated folder, such as one in /srv.",
  });
}

/**
 * Major numbers of devices that every program uses: memory, null, random, terminals under common names, KVM
 * and others. Documentation/admin-guide/devices.txt of Linux
 */
const COMMON_MAJORS: ReadonlySet<string> = new Set(["1", "5", "10"]);

/** Throws "denied" for a device that a guest cannot have to itself, because every program needs it. */
export function refuseCommonDevice(path: string, node: string | undefined): void {
  if (!COMMON_MAJORS.has(node?.split(":")[0] ?? "")) return;
  throw new SvirtError(`Cannot give ${path} to a guest: every program of the host uses it`, {
    kind: "denied",
    remedy: "Name a device that the guest may have to itself.",
  });
}

/** Decides whether a path, with its symlinks resolved, is a file that a package installed. */
export function isInstalled(path: string): boolean {
  return path.startsWith("/usr/");
}

/** Throws "denied" for an installed file to be written by a guest. */
export function refuseInstalled(path: string): void {
  if (!isInstalled(path)) return;
  throw new SvirtError(`Cannot let a guest write ${path}: it belongs to the host`, {
    kind: "denied",
    remedy: "Give the guest a copy of it.",
  });
}

/** Decides whether a path, with its symlinks resolved, belongs to the host. */
export function belongsToHost(path: string): boolean {
  const within = `${path}/`;
  return path === "/" || FORBIDDEN_STARTS.some((start) => within.startsWith(start));
}
