import { SvirtError } from "../../errors.ts";
import type { Definition } from "../../state/definitions.ts";
import type { GuestRecord } from "../../state/record.ts";
import type { FoundDomain } from "../guest/find-domain.ts";

/** Which of the two somebody wants changed: virsh's options. */
export interface Wish {
  readonly live?: boolean;
  readonly config?: boolean;
  readonly current?: boolean;
  readonly persistent?: boolean;
}

/** What is changed: the running guest, the definition, or both. */
export interface Impact {
  readonly guest: GuestRecord | undefined;
  readonly definition: Definition | undefined;
}

/**
 * Without a wish, the guest while it runs and the definition while it does not. Throws "usage", "wrong-state" in
 * libvirt's words. virDomainObjUpdateModificationImpact()
 */
export function decideImpact({ definition, guest, name }: FoundDomain, wish: Wish): Impact {
  refuseBoth(wish);
  const isRunning = guest !== undefined;
  const live = wish.live === true || (wish.config !== true && isRunning);
  const config = wish.config === true || wish.persistent === true || (wish.live !== true && !isRunning);
  if (live && !isRunning) {
    throw new SvirtError("Requested operation is not valid: domain is not running", {
      kind: "wrong-state",
      remedy: `Start it (svirt start ${name}), or change its definition: --config`,
    });
  }
  if (config && definition === undefined) {
    throw new SvirtError(
      "Requested operation is not valid: transient domains do not have any persistent config",
      { kind: "wrong-state", remedy: "Change the running guest alone: --live" },
    );
  }
  // --persistent is for the guest too, while it runs.
  const both = wish.persistent === true && isRunning;
  return { guest: live || both ? guest : undefined, definition: config ? definition : undefined };
}

function refuseBoth({ config, current, live, persistent }: Wish): void {
  if (current !== true) return;
  const other = [
    ["persistent", persistent],
    ["config", config],
    ["live", live],
  ].find(([, isWanted]) => isWanted === true);
  if (other === undefined) return;
  throw new SvirtError(`Options --${String(other[0])} and --current are mutually exclusive`, {
    kind: "usage",
    remedy: "Leave one of them out.",
  });
}
