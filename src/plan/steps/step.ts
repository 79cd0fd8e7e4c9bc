import type { AccessStep } from "./access.ts";
import type { BlockStep } from "./block.ts";
import type { ClaimStep } from "./claim.ts";
import type { DeviceStep } from "./device.ts";
import type { FolderStep } from "./folder.ts";
import type { FormatStep } from "./format.ts";
import type { ShareStep } from "./host.ts";
import type { LabelStep } from "./label.ts";
import type { MountStep } from "./mount.ts";
import type { NetworkStep } from "./network.ts";
import type { OwnerStep } from "./owner.ts";
import type { PciStep } from "./pci.ts";
import type { PoolStep } from "./pool.ts";
import type { ProcessStep } from "./process.ts";
import type { SocketStep } from "./socket.ts";
import type { StoredStep } from "./stored.ts";
import type { StreamStep } from "./stream.ts";
import type { TreeStep } from "./tree.ts";
import type { VolumeStep } from "./volume.ts";

/**
 * One act of a change of a guest or of another object, with all data to show, run and undo it. The record
 * stores the steps before the first one runs, so that any later call can undo them after a crash. Each
 * inverse may run whether or not its step did, and any number of times.
 */
export type Step =
  | AccessStep
  | BlockStep
  | ClaimStep
  | DeviceStep
  | FolderStep
  | FormatStep
  | LabelStep
  | MountStep
  | NetworkStep
  | OwnerStep
  | PciStep
  | PoolStep
  | ProcessStep
  | ShareStep
  | SocketStep
  | StoredStep
  | StreamStep
  | TreeStep
  | VolumeStep;

/** Step of the kind. */
export type StepOf<Name extends Step["do"]> = Extract<Step, { readonly do: Name }>;
