import type { Context } from "../../selinux/context.ts";
import type { Denial } from "../../selinux/denials/denial.ts";
import type { KnownFile } from "./known-files.ts";
import type { KnownGuest } from "./known-guests.ts";

/** Facts about a denial, its subject and its object. */
export interface DenialFacts {
  readonly denial: Denial;
  readonly source: Context;
  readonly target: Context;
  /** Program that was denied access; "probe" is an emulator that svirt has describe itself. */
  readonly subject: "guest" | "probe" | "svirt" | "other";
  readonly guest: KnownGuest | undefined;
  /** Guest with the object's level. */
  readonly owner: KnownGuest | undefined;
  readonly file: KnownFile | undefined;
  /** Object, as an operator would name it. */
  readonly shown: string;
  /** Current label of the object; undefined if unknown. */
  readonly labelNow: string | undefined;
  /** Types in the policy of a guest's own files, and of svirt. */
  readonly imageType: string;
  readonly managerType: string;
  /** Reports whether a boolean of the policy is on; undefined if the policy has no such boolean. */
  readonly isOn: (name: string) => boolean | undefined;
}

/** Cause of a denial, the missing rule, and the remedy. */
export interface Reason {
  readonly reason: string;
  /** Undefined if no rule would or should allow it. */
  readonly rule: string | undefined;
  readonly remedy: string;
}
