import { SvirtError } from "../errors.ts";

/** A file that a guest is to write, with its symlinks resolved. Labels are undefined where a file system has none. */
export interface WrittenPlace {
  readonly path: string;
  /** A listener is a socket to be made. */
  readonly kind: "file" | "folder" | "socket" | "listener" | "device";
  readonly label: string | undefined;
  /** The label of the folder that it lies in. */
  readonly folderLabel: string | undefined;
  /** The home folders of the host's users. passwd(5) */
  readonly homes: readonly string[];
}

/**
 * Types that a policy gives to files of guests, and to nothing that a host runs or trusts. seinfo -x -a virt_image_type;
 * virt.fc of the reference policy
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

/** Types that say nothing of what a file is for: the place decides. */
const PLAIN_TYPES: ReadonlySet<string> = new Set([
  ...["var_t", "mnt_t", "default_t", "tmp_t", "user_tmp_t", "tmpfs_t", "user_tmpfs_t", "hugetlbfs_t"],
  ...["unlabeled_t", "file_t", "public_content_t", "public_content_rw_t"],
  ...["nfs_t", "cifs_t", "dosfs_t", "fusefs_t", "iso9660_t", "cephfs_t", "ecryptfs_t"],
]);

/** Types of an ordinary user's files, below a folder for images in a home. */
const HOME_TYPES: ReadonlySet<string> = new Set(["user_home_t", "xdg_data_t", "data_home_t"]);

/** Where guests' files lie whatever label they have, of those that say nothing. */
const PLACES =
  /^\/(?:srv|mnt|media|tmp|var\/tmp|var\/lib\/libvirt|run\/media|dev\/shm|dev\/hugepages)(?:\/|$)/;

/** The same in a home: as libvirt's session has it, as the reference policy has it, and what svirt makes itself. */
const HOME_PLACES =
  /\/(?:[.]local\/share\/libvirt\/images|VirtualMachines|[.]local\/state\/svirt\/nvram)(?:\/|$)/;

/** Folders at the top that a distribution or a file system makes. hier(7). Any other one is an administrator's for data. */
const SYSTEM_TOPS: ReadonlySet<string> = new Set([
  ...["bin", "boot", "dev", "efi", "etc", "gnu", "home", "initrd", "lib", "lib32", "lib64", "libx32"],
  ...["lost+found", "nix", "opt", "ostree", "proc", "root", "run", "sbin", "snap", "sys", "sysroot"],
  ...["usr", "var"],
]);

/** Homes of daemons, by which a whole place for guests' files would be none: libvirt-qemu's is in /var/lib/libvirt. */
const NO_HOMES = /^\/(?:srv|mnt|media|tmp|var\/tmp|var\/lib\/libvirt(?:\/.*)?|run\/media|dev\/shm)$/;

/** What dnsmasq is run with for libvirt's networks, which may name programs; or a folder that has it. */
const SETTINGS = /^\/var\/lib\/libvirt\/dnsmasq(?:\/|$)/;
const ABOVE_SETTINGS = "/var/lib/libvirt";

/** Where an ordinary user's svirt keeps its own, but for the variables of UEFI. */
const OWN = /\/[.](?:config\/svirt|local\/state\/svirt(?!\/nvram\/))(?:\/|$)/;

/**
 * Throws "denied" for a file that no guest may write: an allow list of types and places, since much of a host is run or
 * trusted by somebody. Device nodes are not judged here: their content is a device.
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

interface Refusal {
  readonly because: string;
  readonly remedy: string;
}

const MOVE =
  "Put it into a folder for guests' files, such as /var/lib/libvirt/images or one in /srv, or make one: " +
  "mkdir FOLDER && chcon -t virt_image_t FOLDER";

/** Undefined: a guest may write it. */
function decideAgainst(place: WrittenPlace): Refusal | undefined {
  const { kind, label, path } = place;
  const others = othersAt(place);
  if (others !== undefined) return { because: `${others} are there`, remedy: MOVE };
  const own = typeOf(label);
  // A socket is no program and no setting: its own label is enough.
  if (kind === "socket" && own !== undefined && IMAGE_TYPES.has(own)) return undefined;
  // Of a folder that is shared all that counts is in it.
  const folder = kind === "folder" ? path : path.slice(0, path.lastIndexOf("/")) || "/";
  const folderType = kind === "folder" ? own : typeOf(place.folderLabel);
  if (kind === "listener" && isRunPlace(path, folderType)) return undefined;
  const because = decideAgainstFolder(place, folder, folderType);
  if (because !== undefined) return { because: `${folder} ${because}`, remedy: MOVE };
  if (own === undefined || isForFiles(path, own)) return undefined;
  return { because: `it is labelled ${own}, as files elsewhere are`, remedy: `Run: restorecon ${path}` };
}

/** What is there that no label makes a guest's. */
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
    return `is labelled ${type}, so it is no folder for guests' files`;
  if (type !== undefined && IMAGE_TYPES.has(type)) return undefined;
  if (HOME_PLACES.test(path)) return undefined;
  const home = homeOf(place);
  if (home !== undefined) return `is not labelled for guests' files, and ${home} is a home folder`;
  const isPlace = PLACES.test(path) || !SYSTEM_TOPS.has(topOf(path));
  return isPlace && folder !== "/" ? undefined : "is no folder for guests' files";
}

/** The home folder that the place lies in, or that lies in the folder. */
function homeOf({ homes, kind, path }: WrittenPlace): string | undefined {
  return homes
    .map((home) => home.replace(/\/+$/, ""))
    .filter((home) => home.startsWith("/") && !NO_HOMES.test(home))
    .find((home) => `${path}/`.startsWith(`${home}/`) || (kind === "folder" && home.startsWith(`${path}/`)));
}

/** Whether files of that type may lie where guests' files do. */
function isForFiles(path: string, type: string): boolean {
  // Folders that svirt has made there itself, where no libvirt was installed, have the type of the one above.
  if (type === "var_lib_t") return path.startsWith("/var/lib/libvirt/");
  return IMAGE_TYPES.has(type) || PLAIN_TYPES.has(type) || (HOME_TYPES.has(type) && HOME_PLACES.test(path));
}

/** Programs listen in /run, and none trusts a name there but in the folder of a service, which has a type of its own. */
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
