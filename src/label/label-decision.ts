import type { LabelModelName } from "../domain/forms/label-model.ts";
import type { GuestKind } from "../selinux/contexts-files.ts";
import type { LabelRequest } from "./label-request.ts";

/** Guest whose label is decided. */
export interface LabelledGuest {
  readonly kind: GuestKind;
  /** Range that the level allocator chose; undefined if the model asked for none. */
  readonly range: string | undefined;
}

/** Labels of a guest and its files. */
export interface LabelDecision {
  /** Model that decided. */
  readonly model: LabelModelName;
  readonly type: LabelRequest["type"];
  readonly relabel: boolean;
  /** Context of QEMU; undefined if it is not confined. */
  readonly label: string | undefined;
  /** Label of files that only this guest uses. */
  readonly imageLabel: string | undefined;
  /** Label of a folder that only this guest uses, with its contents. The guest may change modes and owners in it. */
  readonly folderLabel: string | undefined;
  /** Label of disks that several guests write; every guest may write them. */
  readonly sharedLabel: string | undefined;
  /** Label of files that guests read and no guest writes. */
  readonly contentLabel: string | undefined;
  /** Range that no other guest may have. */
  readonly range: string | undefined;
  readonly baseLabel: string | undefined;
}

/** Part of a decision that a guest's record keeps. */
export type RecordedLabel = Pick<
  LabelDecision,
  "model" | "type" | "relabel" | "label" | "imageLabel" | "baseLabel"
>;
