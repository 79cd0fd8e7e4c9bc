import { SvirtError } from "../errors.ts";

// Rule: A guest writes only in the places for guests.

/**
 * File that a guest will write, with its symlinks resolved. Labels are undefined if the file system has none.
 */
export interface WrittenPlace {
  readonly path: string;
  /** A listener is a future socket. */
  readonly kind: "file" | "folder" | "socket" | "listener" | "device";
  readonly label: string | undefined;
  /** Label of its folder. */
  readonly folderLabel: string | undefined;
  /** Lists home folders of users; called only if the labels do not decide. passwd(5) */
  listHomes(): readonly string[];
}

/**
 * A policy's types for guests' files, and never for files run or trusted by a host. seinfo -x -a
 * virt_image_type; virt.fc of the reference policy
 */
const IMAGE_TYPES: ReadonlySet<string> = new Set([
  ...[
    "virt_image_t",
    "virt_content_t",
    "svirt_image_t",
    "svirt_folder_t",
    "svirt_prot_exec_image_t",
    "qemu_image_t",
  ],
  ...["xen_image_t", "virt_home_t", "svirt_home_t", "virt_var_lib_t", "svirt_runtime_t", "qemu_var_run_t"],
]);

/** Types without the purpose of a file: its place decides. */
const PLAIN_TYPES: ReadonlySet<string> = new Set([
  ...["var_t", "mnt_t", "default_t", "tmp_t", "user_tmp_t", "tmpfs_t", "user_tmpfs_t", "hugetlbfs_t"],
  ...["unlabeled_t", "file_t", "public_content_t", "public_content_rw_t"],
  ...["nfs_t", "cifs_t", "dosfs_t", "fusefs_t", "iso9660_t", "cephfs_t", "ecryptfs_t"],
]);

/** Types of an ordinary user's files, accepted below a folder for images in a home. */
const HOME_TYPES: ReadonlySet<string> = new Set(["user_home_t", "xdg_data_t", "data_home_t"]);

/**
 * Folders in which guests' files may have a type of `PLAIN_TYPES` or no label. libvirt-TCK makes its guests
 * in the second of /var.
 */
const PLACES =
  /^\/(?:srv|mnt|media|tmp|var\/(?:tmp|cache\/libvirt-tck|lib\/libvirt)|run\/media|dev\/shm|dev\/hugepages)(?:\/|$)/;

/** Folders for guests' files in a home: of libvirt's session, of the reference policy, and of svirt. */
const HOME_PLACES =
  /\/(?:[.]local\/share\/libvirt\/images|VirtualMachines|[.]local\/state\/svirt\/nvram)(?:\/|$)/;

/**
 * Top-level folders that a distribution or a file system creates. hier(7). Any other holds an administrator's
 * data.
 */
const SYSTEM_TOPS: ReadonlySet<string> = new Set([
  ...["bin", "boot", "dev", "efi", "etc", "gnu", "home", "initrd", "lib", "lib32", "lib64", "libx32"],
  ...["lost+found", "nix", "opt", "ostree", "proc", "root", "run", "sbin", "snap", "sys", "sysroot"],
  ...["usr", "var"],
]);

/**
 * Homes of daemons that do not count as homes, since guests' files lie there: libvirt-qemu's is in
 * /var/lib/libvirt.
 */
const NO_HOMES = /^\/(?:srv|mnt|media|tmp|var\/tmp|var\/lib\/libvirt(?:\/.*)?|run\/media|dev\/shm)$/;

/** Settings of dnsmasq for libvirt's networks, with possible names of programs, and their folder. */
const SETTINGS = /^\/var\/lib\/libvirt\/dnsmasq(?:\/|$)/;
const ABOVE_SETTINGS = "/var/lib/libvirt";

/** Folders of an ordinary user's svirt, except for the variables of UEFI. */
const OWN = /\/[.](?:config\/svirt|local\/state\/svirt(?!\/nvram\/))(?:\/|$)/;

/**
 * Throws "denied" for a file that no guest may write. Only listed types and places are allowed, since the
 * host runs or trusts many other files. Device nodes are not checked here: their content is a device.
 */
export function refuseWrittenPlace(place: WrittenPlace): void {
  if (place.kind === "device") return;
  const why = decideAgainst(place);
  if (why === undefined) return;
  throw new SvirtError(`Cannot let a guest write ${place.path}: ${why.because}`, {
    kind: "denied",
    remedy: why.remedy,
  });
}

/**
 * Returns whether a guest may write a place: what lies there may come from a guest, or from a key that may
 * change guests.
 */
export function isGuestPlace(place: WrittenPlace): boolean {
  return decideAgainst(place) === undefined;
}

interface Refusal {
  readonly because: string;
  readonly remedy: string;
}

/** Remedy for a file that is in no place for guests. */
export const MOVE_TO_GUESTS =
  "Put it into a folder for guests' files, such as /var/lib/libvirt/images or one in /srv, or make one: " +
  "mkdir FOLDER && chcon -t virt_image_t FOLDER";

/** Returns the reason why no guest may write a place; undefined if a guest may. */
function decideAgainst(place: WrittenPlace): Refusal | undefined {
  const { kind, label, path } = place;
  const others = othersAt(place);
  if (others !== undefined) return { because: `${others} are there`, remedy: MOVE_TO_GUESTS };
  const own = typeOf(label);
  // A socket is neither a program nor a setting, so its label is enough.
  if (kind === "socket" && own !== undefined && IMAGE_TYPES.has(own)) return undefined;
  // A shared folder is checked itself; a file is checked by the folder that contains it.
  const folder = kind === "folder" ? path : path.slice(0, path.lastIndexOf("/")) || "/";
  const folderType = kind === "folder" ? own : typeOf(place.folderLabel);
  if (kind === "listener" && isRunPlace(path, folderType)) return undefined;
  const because = decideAgainstFolder(place, folder, folderType);
  if (because !== undefined) return { because: `${folder} ${because}`, remedy: MOVE_TO_GUESTS };
  if (own === undefined || isForFiles(path, own)) return undefined;
  return { because: `its label ${own} is for files in other folders`, remedy: `Run: restorecon ${path}` };
}

/** Names the files at a place that no guest may write, whatever their label. */
function othersAt({ kind, path }: WrittenPlace): string | undefined {
  if (OWN.test(path)) return "svirt's own files";
  const isSettings = SETTINGS.test(path) || (kind === "folder" && path === ABOVE_SETTINGS);
  return isSettings ? "the settings of libvirt's networks" : undefined;
}

function decideAgainstFolder(
  place: WrittenPlace,
  folder: string,
  type: string | undefined,
): string | undefined {
  const { path } = place;
  if (type !== undefined && !isForFiles(path, type))
    return `is labelled ${type}, so it is not a folder for guests' files`;
  if (type !== undefined && IMAGE_TYPES.has(type)) return undefined;
  if (HOME_PLACES.test(path)) return undefined;
  const home = homeOf(place);
  if (home !== undefined) return `is not labelled for guests' files, and ${home} is a home folder`;
  const isPlace = PLACES.test(path) || !SYSTEM_TOPS.has(topOf(path));
  return isPlace && folder !== "/" ? undefined : "is not a folder for guests' files";
}

/** Returns the home folder around the place, or inside the shared folder. */
function homeOf({ kind, listHomes, path }: WrittenPlace): string | undefined {
  return listHomes()
    .map((home) => home.replace(/\/+$/, ""))
    .filter((home) => home.startsWith("/") && !NO_HOMES.test(home))
    .find((home) => `${path}/`.startsWith(`${home}/`) || (kind === "folder" && home.startsWith(`${path}/`)));
}

/** Decides whether files and folders of this type may be in a place for guests' files. */
function isForFiles(path: string, type: string): boolean {
  // Where libvirt is not installed, folders that svirt creates there inherit the type of /var/lib.
  if (type === "var_lib_t") return path.startsWith("/var/lib/libvirt/");
  return IMAGE_TYPES.has(type) || PLAIN_TYPES.has(type) || (HOME_TYPES.has(type) && HOME_PLACES.test(path));
}

/**
 * Decides whether a listener may be in this folder of /run. Programs trust names only in a service's folder,
 * which has a type of its own.
 */
function isRunPlace(path: string, folderType: string | undefined): boolean {
  if (folderType === undefined) return /^\/run\/[^/]+$/.test(path);
  return path.startsWith("/run/") && folderType === "var_run_t";
}

function typeOf(label: string | undefined): string | undefined {
  return label?.split(":")[2];
}

function topOf(path: string): string {
  return path.split("/")[1] ?? "";
}
