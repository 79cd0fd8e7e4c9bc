import type * as v from "valibot";
import type { ReleasedResource } from "../facts/released-resource.ts";
import type { Step } from "./step.ts";

/** Definition of a kind of step. run/steps has its effect. */
export interface Kind<Done extends { readonly do: string }> {
  readonly schema: v.GenericSchema<unknown, Done>;
  /** Returns the step to undo it; undefined if none is needed. */
  readonly inverse: (done: Done) => Step | undefined;
  /** Describes the step in a line, with the label before and after. */
  readonly describe: (step: Done) => string;
  /** Location of the effect. An effect in QEMU ends with QEMU, and its step is not undone afterwards. */
  readonly where: "host" | "qemu";
  /**
   * Whether the record of a running guest keeps the step after its change. Kept steps are undone when the
   * guest ends.
   */
  readonly record: "kept" | "dropped";
  /**
   * Returns the resource that a running guest must not keep after the step; undefined if its processes cannot
   * keep it.
   */
  readonly releases: "nothing" | ((done: Done) => ReleasedResource | undefined);
}

/**
 * Definitions of all kinds of steps in a group, keyed by name. A kind without a definition does not compile.
 */
export type Kinds<Group extends { readonly do: string }> = {
  readonly [Name in Group["do"]]: Kind<Extract<Group, { readonly do: Name }>>;
};

/** Inverse of a kind without effects to undo. */
export function noInverse(): undefined {
  return undefined;
}
