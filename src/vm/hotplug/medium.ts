import { parseDevice } from "../../domain/device.ts";
import type { Disk } from "../../domain/devices/disk/disk.ts";
import { SvirtError } from "../../errors.ts";
import { type Draft, emptyDraft } from "../../xml/draft.ts";
import { formatDocument } from "../../xml/format-document.ts";
import { refuseFixed, takeSource } from "./update-rules.ts";

/** Action on a drive's medium, named as in virsh. */
export type MediumAction = "eject" | "insert" | "update";

/** A medium, or none. */
export interface Medium {
  readonly type: "file" | "block";
  readonly path: string | undefined;
}

/**
 * Returns the drive with that medium in it, or empty. Throws "wrong-state" with virsh's message.
 * virshUpdateDiskXML()
 */
export function putMedium(drive: Disk, action: MediumAction, medium: Medium): Disk {
  refuseFixed(drive);
  const name = drive.target.dev;
  if (action === "eject" && drive.source === undefined) {
    throw fault(`The disk device '${name}' doesn't have media`, "Leave the drive as it is: it is empty.");
  }
  if (action === "insert" && drive.source !== undefined) {
    throw fault(`The disk device '${name}' already has media`, "Replace the medium: --update");
  }
  const other = parseDevice(new TextEncoder().encode(formatDocument(draftOf(drive, medium))));
  return other.element === "disk" ? takeSource(drive, other.value) : drive;
}

/** Builds the disk as XML, so that its path is checked like any other. */
function draftOf({ device, driver, target }: Disk, { path, type }: Medium): Draft {
  const draft = make("disk", { type, device: device ?? "disk" });
  draft.children.push(make("driver", { name: "qemu", type: driver?.type ?? "raw" }));
  if (path !== undefined) draft.children.push(make("source", { [type === "block" ? "dev" : "file"]: path }));
  draft.children.push(make("target", { dev: target.dev }));
  return draft;
}

function make(tag: string, attributes: Readonly<Record<string, string>>): Draft {
  const draft = emptyDraft(tag);
  for (const [name, value] of Object.entries(attributes)) draft.attributes.set(name, value);
  return draft;
}

function fault(message: string, remedy: string): SvirtError {
  return new SvirtError(message, { kind: "wrong-state", remedy });
}
