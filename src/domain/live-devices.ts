import { attributesDraft, type Draft, emptyDraft } from "../xml/draft.ts";

/** Image of a running guest's disk. */
export interface LiveImage {
  /** Number of the image in names such as `vda[2]`, for `svirt blockcommit` and similar commands. */
  readonly number: number;
  readonly format: string;
  readonly type: "file" | "block";
  readonly path: string;
}

/** Facts of a running guest's devices missing in its definition. */
export interface LiveDevices {
  /** Paths of the terminals that the kernel assigned to character devices, keyed by the device's alias. */
  readonly terminals?: ReadonlyMap<string, string>;
  /** Images of each disk, top first, keyed by the disk's alias. */
  readonly chains?: ReadonlyMap<string, readonly LiveImage[]>;
  /** Whether the guest has each character device open, keyed by the device's alias. */
  readonly openPorts?: ReadonlyMap<string, boolean>;
}

/** Adds the facts to the draft of a domain, whose devices have their aliases. */
export function showDevices(domain: Draft, { chains, openPorts, terminals }: LiveDevices): void {
  for (const device of childrenOf(childrenOf(domain).find(({ tag }) => tag === "devices"))) {
    const alias = aliasOf(device) ?? "";
    showTerminal(device, terminals?.get(alias));
    if (device.tag === "channel") showState(device, openPorts?.get(alias));
    if (device.tag === "disk") showChain(device, chains?.get(alias) ?? []);
  }
}

function childrenOf(draft: Draft | undefined): readonly Draft[] {
  return (draft?.children ?? []).filter((child) => typeof child !== "string");
}

function aliasOf(device: Draft): string | undefined {
  return childrenOf(device)
    .find(({ tag }) => tag === "alias")
    ?.attributes.get("name");
}

// virDomainChrDefFormat() of libvirt
function showTerminal(device: Draft, path: string | undefined): void {
  if (path === undefined || device.attributes.get("type") !== "pty") return;
  if (device.tag === "console") device.attributes.set("tty", path);
  device.children.unshift(attributesDraft("source", { path }));
}

// virDomainChrTargetDefFormat() of libvirt
function showState(channel: Draft, isOpen: boolean | undefined): void {
  const target = childrenOf(channel).find(({ tag }) => tag === "target");
  if (isOpen === undefined || target?.attributes.get("type") !== "virtio") return;
  target.attributes.set("state", isOpen ? "connected" : "disconnected");
}

/**
 * Backing images are written as in the XML or, if it has none, as QEMU got them. virDomainDiskSourceFormat()
 * of libvirt
 */
function showChain(disk: Draft, [top, ...below]: readonly LiveImage[]): void {
  const source = childrenOf(disk).findIndex(({ tag }) => tag === "source");
  if (top === undefined || source === -1) return;
  childrenOf(disk)[source]?.attributes.set("index", String(top.number));
  const written = childrenOf(disk).find(({ tag }) => tag === "backingStore");
  if (written === undefined) disk.children.splice(source + 1, 0, formatBelow(below));
  else numberBelow(written, below);
}

function numberBelow(store: Draft, [image, ...below]: readonly LiveImage[]): void {
  if (image === undefined || !store.attributes.has("type")) return;
  store.attributes.set("index", String(image.number));
  const deeper = childrenOf(store).find(({ tag }) => tag === "backingStore");
  if (deeper === undefined) store.children.push(formatBelow(below));
  else numberBelow(deeper, below);
}

/** Returns the `<backingStore>` of the images; an empty element ends the chain. */
function formatBelow([image, ...below]: readonly LiveImage[]): Draft {
  if (image === undefined) return emptyDraft("backingStore");
  const { format, number, path, type } = image;
  const store = attributesDraft("backingStore", { type, index: String(number) });
  const source = attributesDraft("source", { [type === "file" ? "file" : "dev"]: path });
  store.children.push(attributesDraft("format", { type: format }), source, formatBelow(below));
  return store;
}
