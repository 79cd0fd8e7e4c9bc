import { SvirtError } from "../errors.ts";
import type { Instance } from "./instance.ts";
import { compareNames, ENDING, listXmlFiles, storedUuid } from "./xml-files.ts";

/** Most bytes of a network's name: domainName in domain/forms/text.ts. */
const MOST_BYTES = 200;

/** A network that is defined, active, or both. */
export interface StoredNetwork {
  readonly name: string;
  readonly uuid: string;
  /** XML of the definition; undefined for a network that is only active. */
  readonly defined: string | undefined;
  /** XML with which the network was started; undefined for an inactive network. */
  readonly active: string | undefined;
}

/** A network as the names of its files show it. */
export interface NetworkEntry {
  readonly name: string;
  readonly isActive: boolean;
  readonly isAutostarted: boolean;
  readonly isPersistent: boolean;
}

/** Lists the networks that are defined or active, in libvirt's order: ignoring case. */
export function listNetworkEntries(instance: Instance): readonly NetworkEntry[] {
  const [defined, active, marked] = [
    namesIn(instance, definedFolder(instance)),
    namesIn(instance, activeFolder(instance)),
    namesIn(instance, autostartFolder(instance)),
  ];
  return [...new Set([...defined, ...active])].sort(compareNames).map((name) => ({
    name,
    isActive: active.has(name),
    isAutostarted: defined.has(name) && marked.has(name),
    isPersistent: defined.has(name),
  }));
}

/**
 * Returns undefined if no network of that name is defined or active. Throws "failed" if a file has no <uuid> where svirt
 * writes it.
 */
export function readNetwork(instance: Instance, name: string): StoredNetwork | undefined {
  if (name.includes("/") || name.includes("\0")) return undefined;
  // A longer name cannot be defined, and may be too long for a file.
  if (new TextEncoder().encode(name).length > MOST_BYTES) return undefined;
  const [defined, active] = [readDefined(instance, name), readActive(instance, name)];
  const xml = active ?? defined;
  if (xml === undefined) return undefined;
  const uuid = storedUuid(xml);
  if (uuid !== undefined) return { name, uuid, defined, active };
  const path = active === undefined ? definedPath(instance, name) : activePath(instance, name);
  throw new SvirtError(
    `Cannot read the network ${path}: it has no <uuid> at the place where svirt writes it`,
    {
      kind: "failed",
      remedy:
        active === undefined
          ? `Define it: svirt net-define ${path}`
          : `End it: rm ${path}, and start it again`,
    },
  );
}

/** Lists all networks whose files svirt has written. */
export function listNetworks(instance: Instance): readonly StoredNetwork[] {
  return listNetworkEntries(instance).flatMap(({ name }) => {
    const [defined, active] = [readDefined(instance, name), readActive(instance, name)];
    const uuid = storedUuid(active ?? defined ?? "");
    return uuid === undefined ? [] : [{ name, uuid, defined, active }];
  });
}

/** Writes the definition to disk before it returns. */
export function writeDefinedNetwork(instance: Instance, name: string, xml: string): void {
  instance.host.makeFolder({ path: definedFolder(instance), mode: 0o700 });
  instance.host.writeText(definedPath(instance, name), xml, 0o600);
}

/** Removes the definition and its autostart mark. A missing one is no error. */
export function removeDefinedNetwork(instance: Instance, name: string): void {
  setNetworkAutostart(instance, name, false);
  instance.host.removeFile(definedPath(instance, name));
}

/** Records that a network is active, with the XML of its start. The record ends with the boot. */
export function writeActiveNetwork(instance: Instance, name: string, xml: string): void {
  instance.host.makeFolder({ path: activeFolder(instance), mode: 0o700 });
  instance.host.writeText(activePath(instance, name), xml, 0o600);
}

/** Records that a network is inactive. */
export function removeActiveNetwork(instance: Instance, name: string): void {
  instance.host.removeFile(activePath(instance, name));
}

/** Marks a network to start at boot, by a symlink as libvirt does, or removes the mark. */
export function setNetworkAutostart(instance: Instance, name: string, wanted: boolean): void {
  const mark = `${autostartFolder(instance)}/${name}${ENDING}`;
  if (!wanted) {
    instance.host.removeFile(mark);
    return;
  }
  instance.host.makeFolder({ path: autostartFolder(instance), mode: 0o700 });
  // Replaces no file: a mark that is there stays.
  if (namesIn(instance, autostartFolder(instance)).has(name)) return;
  instance.host.makeSymlink(mark, `../${name}${ENDING}`);
}

function namesIn({ host }: Instance, folder: string): ReadonlySet<string> {
  return new Set(listXmlFiles(host, folder));
}

function readDefined(instance: Instance, name: string): string | undefined {
  return instance.host.readText(definedPath(instance, name));
}

function readActive(instance: Instance, name: string): string | undefined {
  return instance.host.readText(activePath(instance, name));
}

function definedPath(instance: Instance, name: string): string {
  return `${definedFolder(instance)}/${name}${ENDING}`;
}

function activePath(instance: Instance, name: string): string {
  return `${activeFolder(instance)}/${name}${ENDING}`;
}

function definedFolder({ paths }: Instance): string {
  return `${paths.config}/networks`;
}

function autostartFolder(instance: Instance): string {
  return `${definedFolder(instance)}/autostart`;
}

function activeFolder({ paths }: Instance): string {
  return `${paths.run}/networks`;
}
