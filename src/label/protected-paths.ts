import { SvirtError } from "../errors.ts";

/**
 * What no guest's file can be: the system's own programs, settings and secrets, the kernel's file systems, and svirt's
 * own records. A definition that names one is a mistake or an attack: relabelling it would break the host. FHS 3.0
 */
const FORBIDDEN: readonly string[] = [
  ...["/bin", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/sbin", "/sys"],
  ...["/usr/bin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/libx32", "/usr/sbin"],
  ...["/usr/local/bin", "/usr/local/lib", "/usr/local/lib64", "/usr/local/sbin"],
  ...["/root/.ssh", "/run/svirt", "/var/lib/svirt", "/var/log/svirt"],
];

const FORBIDDEN_STARTS: readonly string[] = FORBIDDEN.map((folder) => `${folder}/`);

/** Throws "denied" when a path, with its symlinks resolved, may not be labelled or handed to any guest. */
export function refuseImpossibleTarget(path: string): void {
  if (!belongsToHost(path)) return;
  throw new SvirtError(`Cannot give ${path} to a guest: it belongs to the host`, {
    kind: "denied",
    remedy: "Put the guest's files elsewhere, such as /var/lib/libvirt/images.",
  });
}

/** What the host is made of besides: no guest is given a whole part of it. */
const HOST_FOLDERS: readonly string[] = ["/boot", "/dev", "/run", "/usr"];

/** Throws "denied" for a folder that is the host's own, or has something of the host's own below it. */
export function refuseHostFolder(path: string): void {
  const isAbove = FORBIDDEN.some((folder) => folder.startsWith(`${path}/`));
  const isBelow = HOST_FOLDERS.some((folder) => path === folder || path.startsWith(`${folder}/`));
  if (!isAbove && !isBelow && !belongsToHost(path)) return;
  throw new SvirtError(`Cannot share ${path} with a guest: the host's own files are there`, {
    kind: "denied",
    remedy: "Share a folder of its own, such as one in /srv.",
  });
}

/**
 * Numbers of the devices that every program uses: memory, null, random and the like, terminals by their common names,
 * KVM and others. Documentation/admin-guide/devices.txt of Linux
 */
const COMMON_MAJORS: ReadonlySet<string> = new Set(["1", "5", "10"]);

/** Throws "denied" for a device that a guest cannot have to itself: no program would work without it. */
export function refuseCommonDevice(path: string, node: string | undefined): void {
  if (!COMMON_MAJORS.has(node?.split(":")[0] ?? "")) return;
  throw new SvirtError(`Cannot give ${path} to a guest: every program of the host uses it`, {
    kind: "denied",
    remedy: "Name a device that the guest may have to itself.",
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
  const within = `${path}/`;
  return path === "/" || FORBIDDEN_STARTS.some((start) => within.startsWith(start));
}
