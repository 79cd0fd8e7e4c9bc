import type { Context } from "../../selinux/context.ts";
import type { Denial } from "../../selinux/denials/denial.ts";
import type { KnownFile } from "./known-files.ts";
import type { KnownGuest } from "./known-guests.ts";

/** All that is known about a denial. */
export interface DenialFacts {
  readonly denial: Denial;
  readonly source: Context;
  readonly target: Context;
  /** Who was denied it. */
  readonly subject: "guest" | "svirt" | "other";
  readonly guest: KnownGuest | undefined;
  /** Whose level is on what was asked for. */
  readonly owner: KnownGuest | undefined;
  readonly file: KnownFile | undefined;
  /** What was asked for, as an operator would name it. */
  readonly shown: string;
  /** The label that is there now; undefined where that is not known. */
  readonly labelNow: string | undefined;
  /** Of the policy: what a guest's own files have, and svirt itself. */
  readonly imageType: string;
  readonly managerType: string;
  /** Whether a boolean of the policy is on; undefined when it has none of that name. */
  readonly isOn: (name: string) => boolean | undefined;
}

/** Why it was denied, what would allow it, and what to do. */
export interface Reason {
  readonly reason: string;
  /** Undefined where no rule would or should allow it. */
  readonly rule: string | undefined;
  readonly remedy: string;
}
