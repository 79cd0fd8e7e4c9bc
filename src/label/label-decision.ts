import type { LabelModelName } from "../domain/forms/label-model.ts";
import type { GuestKind } from "../selinux/contexts-files.ts";
import type { LabelRequest } from "./label-request.ts";

/** Guest in want of a label. */
export interface LabelledGuest {
  readonly kind: GuestKind;
  /** Range chosen by the level allocator; undefined if the model asked for none. */
  readonly range: string | undefined;
}

/** Labels of a guest and its files. */
export interface LabelDecision {
  /** Deciding model. */
  readonly model: LabelModelName;
  readonly type: LabelRequest["type"];
  readonly relabel: boolean;
  /** Context of QEMU; undefined if it is not confined. */
  readonly label: string | undefined;
  /** Label of files used by this guest only. */
  readonly imageLabel: string | undefined;
  /**
   * Label of a folder that only this guest uses, with its contents. The guest may change modes and owners in
   * it.
   */
  readonly folderLabel: string | undefined;
  /** Label of disks written by several guests; every guest may write them. */
  readonly sharedLabel: string | undefined;
  /** Label of files read by guests and written by none. */
  readonly contentLabel: string | undefined;
  /** Range reserved for this guest. */
  readonly range: string | undefined;
  readonly baseLabel: string | undefined;
}

/** Part of a decision kept in a guest's record. */
export type RecordedLabel = Pick<
  LabelDecision,
  "model" | "type" | "relabel" | "label" | "imageLabel" | "baseLabel"
>;
