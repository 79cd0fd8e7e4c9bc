import { attributesDraft, type Draft, emptyDraft } from "../xml/draft.ts";

/** One image of a running guest's disk. */
export interface LiveImage {
  /** By which `svirt blockcommit` and its like may call it: `vda[2]`. */
  readonly number: number;
  readonly format: string;
  readonly type: "file" | "block";
  readonly path: string;
}

/** What a running guest's devices have besides what its definition says. */
export interface LiveDevices {
  /** The path of each terminal that the kernel gave a character device, by the device's alias. */
  readonly terminals?: ReadonlyMap<string, string>;
  /** The images of each disk, by its alias, the top first. */
  readonly chains?: ReadonlyMap<string, readonly LiveImage[]>;
  /** Of each character device whether the guest has it open, by its alias. */
  readonly openPorts?: ReadonlyMap<string, boolean>;
}

/** Writes that into the domain that is being written, whose devices have their aliases. */
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

/** What is below stands as the XML has it, or else as QEMU was given it. virDomainDiskSourceFormat() of libvirt */
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

/** An empty one says that there is none. */
function formatBelow([image, ...below]: readonly LiveImage[]): Draft {
  if (image === undefined) return emptyDraft("backingStore");
  const { format, number, path, type } = image;
  const store = attributesDraft("backingStore", { type, index: String(number) });
  const source = attributesDraft("source", { [type === "file" ? "file" : "dev"]: path });
  store.children.push(attributesDraft("format", { type: format }), source, formatBelow(below));
  return store;
}
