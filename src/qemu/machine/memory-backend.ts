import type { Domain } from "../../domain/domain.ts";
import type { IdSet } from "../../domain/forms/id-set.ts";
import { listCells } from "../../domain/machine/list-cells.ts";
import type { NumaMode } from "../../domain/machine/numatune.ts";
import { type Arguments, jsonArguments } from "../argument/argument.ts";
import { type Launch, passedName } from "../launch.ts";
import { cannotTranslate, hostDependent } from "../refusal.ts";

// Rule: Huge pages and memfd have no file; other memory files are in the guest's folder.

/** A part of the guest's memory with a backend of its own in QEMU. */
export interface MemoryPiece {
  /** The backend's id, and the name of its file. */
  readonly id: string;
  readonly file: string;
  readonly kind: "system" | "cell" | "dimm" | "nvdimm" | "virtio-mem" | "virtio-pmem" | "sgx-epc";
  readonly place: string;
  readonly sizeKiB: number;
  readonly cell?: number | undefined;
  readonly access?: "shared" | "private" | undefined;
  readonly discard?: boolean | undefined;
  readonly pageKiB?: number | undefined;
  readonly nodes?: IdSet | undefined;
  /** A file of the host with the memory. */
  readonly path?: string | undefined;
  readonly alignKiB?: number | undefined;
  readonly pmem?: boolean | undefined;
}

/** A backend's arguments. `isNeeded`: needed even on a machine with optional backends. */
export interface MemoryBackend {
  readonly words: Arguments;
  readonly isNeeded: boolean;
}

/** libvirt's folder for memory files, and its mounts of huge pages. */
const FILES = "/var/lib/libvirt/qemu/ram";
const MOUNTS: ReadonlyMap<number, string> = new Map([
  [2048, "/dev/hugepages2M"],
  [1_048_576, "/dev/hugepages1G"],
]);

/** Size of normal pages, and the default size of huge pages on x86. */
const [SMALL_KIB, DEFAULT_KIB] = [4, 2048];

/** Facts for a backend in addition to the domain. */
export interface MemoryFacts {
  /** Whether the command line already has -mem-prealloc. */
  readonly isAllFilled?: boolean;
  /** Set for a real start: QEMU creates memory files in the guest's folder. */
  readonly launch?: Launch | undefined;
}

/**
 * Formats -object for a part of the memory. Throws "unsupported" if it depends on the host.
 * qemuBuildMemoryBackendProps() of libvirt
 */
export function formatBackend(
  domain: Domain,
  piece: MemoryPiece,
  { isAllFilled = false, launch }: MemoryFacts = {},
): MemoryBackend {
  const pages = decidePages(domain, piece);
  const nodes = decideNodes(domain, piece);
  const { type, keys } = backing(domain, piece, { hugeKiB: pages.hugeKiB, launch });
  const filling = isAllFilled ? {} : fillingKeys(domain, piece, pages.hugeKiB);
  const context = filling.prealloc === true && nodes.ids !== undefined ? `tc-${piece.id}` : undefined;
  if (context !== undefined) refusePinned(domain, piece);
  const thread = { "qom-type": "thread-context", id: context, "node-affinity": nodes.ids };
  const backend = {
    "qom-type": type,
    id: piece.id,
    ...keys,
    ...(piece.kind === "virtio-mem" ? { reserve: false } : filling),
    size: piece.sizeKiB * 1024,
    align: piece.alignKiB && piece.alignKiB * 1024,
    pmem: piece.pmem === true ? true : undefined,
    ...nodeKeys(nodes),
    "prealloc-context": context,
  };
  return {
    words: [
      ...(context === undefined ? [] : jsonArguments("-object", thread)),
      ...jsonArguments("-object", backend),
    ],
    isNeeded: pages.isOwn || nodes.isOwn || isSaidAloud(domain, piece),
  };
}

/** Reports whether the memory is filled before the guest starts. qemuBuildMemoryGetPagesize() of libvirt */
export function isFilledFirst(domain: Domain, piece: MemoryPiece): boolean {
  return fills(domain, piece, decidePages(domain, piece).hugeKiB);
}

/**
 * Returns the value of -mem-path for a machine whose cells have no backends. qemuBuildMemPathStr() of libvirt
 */
export function wholePath(domain: Domain, launch: Launch | undefined): string | undefined {
  const [first] = domain.memoryBacking?.hugepages?.pages ?? [];
  const whole = { id: "ram", file: "ram", kind: "system", place: "/domain/memory", sizeKiB: 0 } as const;
  if (domain.memoryBacking?.hugepages !== undefined && first?.size !== SMALL_KIB) {
    return hugePath(domain, first?.size ?? DEFAULT_KIB);
  }
  return domain.memoryBacking?.source?.type === "file" ? filePath(domain, whole, launch) : undefined;
}

function fillingKeys(
  domain: Domain,
  piece: MemoryPiece,
  hugeKiB: number | undefined,
): { readonly prealloc?: true | undefined; readonly "prealloc-threads"?: number | undefined } {
  const isFilled = piece.kind !== "virtio-mem" && fills(domain, piece, hugeKiB);
  const threads = domain.memoryBacking?.allocation?.threads;
  return { prealloc: isFilled ? true : undefined, "prealloc-threads": threads };
}

function nodeKeys({ ids, mode }: Nodes): object {
  if (ids === undefined || mode === "restrictive") return {};
  return { "host-nodes": ids, policy: POLICIES[mode] };
}

function isSaidAloud(domain: Domain, piece: MemoryPiece): boolean {
  const source = domain.memoryBacking?.source?.type;
  if (source === "file" || source === "memfd" || piece.path !== undefined) return true;
  return accessOf(domain, piece) !== undefined;
}

const POLICIES = { strict: "bind", preferred: "preferred", interleave: "interleave" } as const;

function backing(
  domain: Domain,
  piece: MemoryPiece,
  { hugeKiB, launch }: { readonly hugeKiB: number | undefined; readonly launch: Launch | undefined },
): { readonly type: string; readonly keys: Readonly<Record<string, unknown>> } {
  const source = domain.memoryBacking?.source?.type;
  const access = accessOf(domain, piece);
  const share = access && access === "shared";
  const canonical = piece.kind === "system" ? { "x-use-canonical-path-for-ramblock-id": false } : {};
  if (piece.kind === "sgx-epc") return { type: "memory-backend-epc", keys: {} };
  if (isNameless(domain, piece, { hugeKiB, launch })) {
    const huge = hugeKiB === undefined ? {} : { hugetlb: true, hugetlbsize: hugeKiB * 1024 };
    return { type: "memory-backend-memfd", keys: { ...huge, share, ...canonical } };
  }
  const isFile =
    hugeKiB !== undefined || piece.path !== undefined || access !== undefined || source === "file";
  if (!isFile) return { type: "memory-backend-ram", keys: {} };
  const own = hugeKiB === undefined ? filePath(domain, piece, launch) : hugePath(domain, hugeKiB);
  const discard = piece.path === undefined ? discardOf(domain, piece) : undefined;
  const named =
    piece.path === undefined
      ? own
      : passedName(launch, { path: piece.path, purpose: "memory", access: "read-write" });
  const keys = { "mem-path": named, "discard-data": discard, share, ...canonical };
  return { type: "memory-backend-file", keys };
}

/**
 * Reports whether the memory has no name. Huge pages of a start have none: no mount is needed, and no file to
 * label or remove.
 */
function isNameless(
  { memoryBacking }: Domain,
  { path }: MemoryPiece,
  { hugeKiB, launch }: Parameters<typeof backing>[2],
): boolean {
  if (path !== undefined) return false;
  return memoryBacking?.source?.type === "memfd" || (launch !== undefined && hugeKiB !== undefined);
}

function filePath(domain: Domain, { file }: Pick<MemoryPiece, "file">, launch: Launch | undefined): string {
  return `${launch?.folder ?? `${FILES}/${shortName(domain)}`}/${file}`;
}

interface Pages {
  readonly hugeKiB: number | undefined;
  /** Whether the pages are set for this part, and not for all memory. */
  readonly isOwn: boolean;
}

function decidePages(domain: Domain, { cell, pageKiB }: MemoryPiece): Pages {
  const pages = domain.memoryBacking?.hugepages?.pages;
  const own = pages?.find(({ nodeset }) => cell !== undefined && nodeset?.includes(cell));
  const general = pages?.find(({ nodeset }) => nodeset === undefined);
  const isGeneral = pages !== undefined && (pages.length === 0 || general !== undefined);
  const size = pageKiB ?? own?.size ?? general?.size ?? (isGeneral ? DEFAULT_KIB : undefined);
  if (size === undefined || size === SMALL_KIB) return { hugeKiB: undefined, isOwn: false };
  return { hugeKiB: size, isOwn: pageKiB !== undefined || own !== undefined };
}

function fills(domain: Domain, piece: MemoryPiece, hugeKiB: number | undefined): boolean {
  const isAll = domain.memoryBacking?.allocation?.mode === "immediate" || piece.kind === "sgx-epc";
  if (piece.path === undefined) return isAll || hugeKiB !== undefined;
  return isAll || (piece.kind === "nvdimm" && piece.pmem !== true);
}

interface Nodes {
  readonly ids: IdSet | undefined;
  readonly mode: NumaMode;
  /** Whether the nodes are set for this part, and not for all memory. */
  readonly isOwn: boolean;
}

// virDomainNumatuneMaybeGetNodeset() of libvirt
function decideNodes({ numatune }: Domain, { cell, nodes }: MemoryPiece): Nodes {
  const own = numatune?.memnodes.find(({ cellid }) => cellid === cell);
  const memory = numatune?.memory;
  const mode = own?.mode ?? memory?.mode ?? "strict";
  const isOwn = nodes !== undefined || own !== undefined;
  if (nodes !== undefined || own !== undefined) return { ids: nodes ?? own?.nodeset, mode, isOwn };
  if (memory !== undefined && memory.nodeset === undefined) {
    const why = "svirt does not ask numad for a placement";
    throw hostDependent(
      "/domain/numatune/memory/@placement",
      why,
      "Write nodeset='…' instead of placement='auto'.",
    );
  }
  return { ids: memory?.nodeset, mode, isOwn };
}

// The thread that fills the memory runs on the memory's nodes, within QEMU's processors.
// qemuBuildThreadContextProps() of libvirt
function refusePinned({ vcpu, cputune }: Domain, { place }: MemoryPiece): void {
  if (vcpu?.cpuset === undefined && cputune?.emulatorpin === undefined) return;
  const why = "svirt does not look up the NUMA nodes of QEMU's processors";
  throw hostDependent(place, why, "Remove vcpu/@cpuset and <emulatorpin>.");
}

function accessOf(domain: Domain, { access, cell }: MemoryPiece): "shared" | "private" | undefined {
  return access ?? cellOf(domain, cell)?.memAccess ?? domain.memoryBacking?.access?.mode;
}

function discardOf(domain: Domain, { discard, cell }: MemoryPiece): boolean | undefined {
  return (
    discard ?? cellOf(domain, cell)?.discard ?? (domain.memoryBacking?.discard === true ? true : undefined)
  );
}

function cellOf({ cpu }: Domain, id: number | undefined): ReturnType<typeof listCells>[number] | undefined {
  return id === undefined ? undefined : listCells(cpu?.numa ?? { cells: [] })[id];
}

function hugePath(domain: Domain, sizeKiB: number): string {
  const mount = MOUNTS.get(sizeKiB);
  if (mount !== undefined) return `${mount}/libvirt/qemu/${shortName(domain)}`;
  const why = `an x86 processor does not have pages of ${sizeKiB} KiB`;
  throw cannotTranslate("/domain/memoryBacking/hugepages", why, "Write a size of 2048 or 1048576 KiB.");
}

/**
 * Returns the guest's short name, as virDomainDefGetShortName() of libvirt does for a guest that does not
 * run.
 */
function shortName({ name }: Domain): string {
  return `-1-${[...name].slice(0, 20).join("")}`;
}
