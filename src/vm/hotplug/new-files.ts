import { type Device, familyOf, type HotElement } from "../../domain/device.ts";
import { peerSocketOf } from "../../domain/resources/peer-sockets.ts";
import type { PeerSocket } from "../../domain/resources/resource.ts";
import { SvirtError } from "../../errors.ts";
import { labelOfRole } from "../../label/file-label.ts";
import type { LabelDecision } from "../../label/label-decision.ts";
import { peerContext } from "../../label/peer-context.ts";
import { LABEL_ROLES } from "../../label/roles.ts";
import { decideFiles } from "../../labelling/file-labels.ts";
import { claimIn } from "../../plan/actions/block.ts";
import type { NewDevice } from "../../plan/actions/hotplug.ts";
import { planSecrets } from "../../plan/actions/secrets.ts";
import type { LabelledFile } from "../../plan/facts/file.ts";
import { fileKey } from "../../plan/facts/file-key.ts";
import type { PluggedPeer } from "../../plan/facts/launch-spec.ts";
import { guestPaths } from "../../plan/paths.ts";
import { listQemuObjects } from "../../plan/record/qemu-objects.ts";
import { hotplugOf } from "../../qemu/hotplug/families.ts";
import type { FreeNames, HotplugFamily } from "../../qemu/hotplug/family.ts";
import type { DeviceCommands } from "../../qemu/hotplug/plug.ts";
import { modelOn } from "../../report/label-models.ts";
import { type ResolvedFiles, resolveResources } from "../../resolve/files/all.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { listPassedFiles, passSecrets } from "../start/guest-command.ts";

/** Returns the inspected files of a device. PCI devices in `taken` count as detached from the host. */
export function resolveDevice(
  instance: Instance,
  device: Device,
  taken?: ReadonlySet<string>,
): ResolvedFiles {
  const peer = peerOf(device);
  const resources = hotplugOf(device).resources(device.value);
  return resolveResources(instance, [...resources, ...(peer === undefined ? [] : [peer])], {
    makeMissing: false,
    ...(taken === undefined ? {} : { taken }),
  });
}

function peerOf(device: Device): PeerSocket | undefined {
  return peerSocketOf(familyOf(device), device.value);
}

interface ResolvedDevice {
  readonly resolved: ResolvedFiles;
  readonly words: DeviceCommands;
  readonly peers?: readonly PluggedPeer[];
}

/** Decides svirt's connection, under the given name, for a device of another program. */
export function decidePeer(
  guest: GuestRecord,
  device: Device,
  { resolved, name }: { readonly resolved: ResolvedFiles; readonly name: string },
): readonly PluggedPeer[] {
  const path = peerOf(device)?.path;
  const socket = resolved.files.find(({ named }) => named === path)?.facts.id;
  if (socket === undefined) return [];
  const { label } = guest.label;
  return [{ name, uid: guest.uid, socket, ...(label === undefined ? {} : { context: peerContext(label) }) }];
}

/**
 * Returns a device with its files opened and labelled like the files of the guest's other devices. A file
 * already in the guest is not claimed twice. The caller holds the registry lock. Throws "in-use".
 */
export function decideNewDevice(
  instance: Instance,
  guest: GuestRecord,
  { resolved, peers = [], words }: ResolvedDevice,
): NewDevice {
  const { uid, uuid } = guest;
  const files = decideFiles(instance, labelDecisionOf(instance, guest), { uuid, uid, files: resolved.files });
  const { folder } = guestPaths(instance.paths, uuid);
  const secrets = passSecrets(instance, words.secrets ?? [], folder);
  const label = addedLabelOf(instance, guest, "guest-folder");
  return {
    ...(secrets.length === 0 ? {} : { secrets: planSecrets(secrets, { uid, label }) }),
    files: files.filter((file) => isNew(guest, file)),
    passedFiles: listPassedFiles(instance, { descriptors: words.descriptors, found: resolved.files }),
    peers,
    commands: words.commands,
  };
}

/** Returns the label decision of the guest's start, which applies to its new files. */
export function labelDecisionOf(instance: Instance, { label }: GuestRecord): LabelDecision {
  const recorded = { label: undefined, imageLabel: undefined, baseLabel: undefined, ...label };
  return modelOn(instance.host, label.model).recall(recorded);
}

/** Returns the label of a file added by svirt for a running guest. */
export function addedLabelOf(
  instance: Instance,
  guest: GuestRecord,
  kind: "guest-folder" | "saved-state",
): string | undefined {
  return labelOfRole(labelDecisionOf(instance, guest), LABEL_ROLES[kind]["read-write"].role);
}

/** Returns names unused in the guest's QEMU. */
export function freeNames(
  guest: GuestRecord,
  { prefix }: Pick<HotplugFamily<HotElement>, "prefix">,
): FreeNames {
  const { devices, files, nodes, peers } = listQemuObjects(guest.steps);
  return {
    node: nextOf(nodes.keys(), /^libvirt-(\d+)-/, 1),
    set: Math.max(2, ...files.keys()) + 1,
    peer: `peer${nextOf(peers.keys(), /^peer(\d+)$/, 0)}`,
    alias: `${prefix}${nextOf(devices.keys(), new RegExp(`^${prefix}(\\d+)$`), 0)}`,
  };
}

function nextOf(names: Iterable<string>, pattern: RegExp, least: number): number {
  const numbers = [...names].flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number);
  return Math.max(least - 1, ...numbers) + 1;
}

function isNew(guest: GuestRecord, file: LabelledFile): boolean {
  const claim = claimIn(guest.steps, fileKey(file.id));
  if (claim === undefined) return true;
  if (claim.label === file.to && claim.sharing === file.sharing) return false;
  throw new SvirtError(
    `Cannot label ${file.id.path}: the guest already uses that file in a way that requires a different label`,
    { kind: "in-use", remedy: "Give the guest a copy of the file." },
  );
}
