import type { Actor } from "../actor.ts";

/**
 * Effects of all kinds of steps in a group, keyed by name. Each throws the errors of the host. A kind without
 * an effect does not compile.
 */
export type Runs<Group extends { readonly do: string }> = {
  readonly [Name in Group["do"]]: (
    actor: Actor,
    step: Extract<Group, { readonly do: Name }>,
  ) => void | Promise<void>;
};
