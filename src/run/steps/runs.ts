import type { Actor } from "../actor.ts";

/** Effects of all kinds of a group, by name. Each throws the errors of the host. A kind without one does not compile. */
export type Runs<Group extends { readonly do: string }> = {
  readonly [Name in Group["do"]]: (
    actor: Actor,
    step: Extract<Group, { readonly do: Name }>,
  ) => void | Promise<void>;
};
