import type { Disk, DiskDriver } from "../domain/disk.ts";
import type { ChainElement } from "../storage/image-chain.ts";
import type { DiskChain } from "./disk-chain.ts";
import { fdsetPath, isDirect, type Launch } from "./launch.ts";
import { jsonWords, type Words } from "./words.ts";

/** The nodes of one disk: their words, the deepest image first, and the name of the node that the device gets. */
export interface DiskNodes {
  readonly words: Words;
  readonly top: string;
}

/** A disk whose nodes are to be written; its images have the numbers from `firstNumber`, the top the lowest. */
export interface NumberedDisk {
  readonly disk: Disk;
  readonly chain: DiskChain;
  readonly firstNumber: number;
}

/** QEMU's way of caching for each word of `<driver cache>`. qemuDomainDiskCachemodeFlags() of libvirt */
const CACHES: ReadonlyMap<DiskDriver["cache"], { readonly direct: boolean; readonly "no-flush": boolean }> =
  new Map([
    ["none", { direct: true, "no-flush": false }],
    ["writeback", { direct: false, "no-flush": false }],
    ["writethrough", { direct: false, "no-flush": false }],
    ["directsync", { direct: true, "no-flush": false }],
    ["unsafe", { direct: false, "no-flush": true }],
  ]);

/**
 * -blockdev for each file of the chain (`libvirt-N-storage`) and for each format in it (`libvirt-N-format`). A raw image
 * is one node, with what `<driver>` says of the guest's view of it. qemu_block.c of libvirt
 */
export function formatNodes(
  { disk, chain, firstNumber }: NumberedDisk,
  launch: Launch | undefined,
): DiskNodes {
  const driver = disk.driver ?? {};
  const files = chain.elements.map((element, index) => ({ element, number: firstNumber + index }));
  const images = files.filter(({ element }) => element.role !== "data-file");
  const words = images.map(({ element, number }, depth): Words => {
    const data = files.find((file) => file.number === number + 1 && file.element.role === "data-file");
    const below = images[depth + 1];
    const storage = storageNode({ element, number, driver }, launch);
    if (element.format === "raw")
      return jsonWords("-blockdev", { ...storage, ...guestView(element, driver) });
    const dataWords = data === undefined ? [] : jsonWords("-blockdev", dataNode({ ...data, driver }, launch));
    const format = {
      "node-name": `libvirt-${number}-format`,
      "read-only": element.readOnly,
      ...guestView(element, driver),
      driver: element.format,
      file: `libvirt-${number}-storage`,
      "data-file": data && `libvirt-${data.number}-storage`,
      ...backing(below, chain.isWhole),
    };
    return [...dataWords, ...jsonWords("-blockdev", storage), ...jsonWords("-blockdev", format)];
  });
  const [first] = images;
  return { words: words.toReversed().flat(), top: first === undefined ? "" : nodeName(first) };
}

interface File {
  readonly element: ChainElement;
  readonly number: number;
}

interface DrivenFile extends File {
  readonly driver: DiskDriver;
}

type Json = Readonly<Record<string, unknown>>;

function nodeName({ element, number }: File): string {
  return `libvirt-${number}-${element.format === "raw" ? "storage" : "format"}`;
}

function storageNode(file: DrivenFile, launch: Launch | undefined): Json {
  const { element, number, driver } = file;
  const isOnTop = element.format === "raw";
  const node = {
    driver: storageDriver(element, launch),
    filename: filename(file, launch),
    aio: driver.io,
    "node-name": `libvirt-${number}-storage`,
  };
  const cache = CACHES.get(driver.cache);
  if (isOnTop) return { ...node, "read-only": element.readOnly };
  // By descriptor QEMU cannot reopen a file another way, so it is told the way at once.
  const access = launch === undefined ? { "auto-read-only": true } : { "read-only": element.readOnly };
  return { ...node, ...access, discard: "unmap", cache };
}

function dataNode(file: DrivenFile, launch: Launch | undefined): Json {
  return storageNode({ ...file, element: { ...file.element, format: "qcow2" } }, launch);
}

/** What concerns the guest's view of its disk stands on the uppermost node of each image. */
function guestView(element: ChainElement, driver: DiskDriver): Json {
  const cache = CACHES.get(driver.cache);
  if (element.role !== "top") return { cache };
  return { discard: driver.discard, "detect-zeroes": detectZeroes(driver), cache };
}

/** Zeroes can only become holes where the guest may make holes. virDomainDiskGetDetectZeroesMode() */
function detectZeroes({ detectZeroes: mode, discard }: DiskDriver): DiskDriver["detectZeroes"] {
  return mode === "unmap" && discard !== "unmap" ? "on" : mode;
}

function backing(below: File | undefined, isWhole: boolean): Json {
  if (below !== undefined) return { backing: nodeName(below) };
  return isWhole ? { backing: null } : {};
}

function storageDriver({ path, storage, readOnly }: ChainElement, launch: Launch | undefined): string {
  if (storage === "file") return "file";
  // The reference looks what the device is; without looking, its usual name is all there is to go by.
  return launch === undefined && readOnly && path === "/dev/cdrom" ? "host_cdrom" : "host_device";
}

function filename({ element, driver }: DrivenFile, launch: Launch | undefined): string {
  const access = element.readOnly ? "read-only" : "read-write";
  const direct = isDirect(driver.cache);
  const found = launch?.descriptors.find(
    (handed) => handed.path === element.path && handed.access === access && handed.direct === direct,
  );
  return found === undefined ? element.path : fdsetPath(found);
}
