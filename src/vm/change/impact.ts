import { SvirtError } from "../../errors.ts";
import type { Definition } from "../../state/definitions.ts";
import type { GuestRecord } from "../../state/record.ts";
import type { FoundDomain } from "../guest/find-domain.ts";

/** Selects the running guest, the definition or both, by virsh's options. */
export interface ImpactOptions {
  readonly live?: boolean;
  readonly config?: boolean;
  readonly current?: boolean;
  readonly persistent?: boolean;
}

/** Selected running guest and definition. */
export interface Impact {
  readonly guest: GuestRecord | undefined;
  readonly definition: Definition | undefined;
}

/**
 * Selects the objects of a change: without options the guest if it runs, else the definition. Throws "usage",
 * "wrong-state" with libvirt's messages. virDomainObjUpdateModificationImpact()
 */
export function decideImpact({ definition, guest, name }: FoundDomain, options: ImpactOptions): Impact {
  refuseBoth(options);
  const isRunning = guest !== undefined;
  const live = options.live === true || (options.config !== true && isRunning);
  const config =
    options.config === true || options.persistent === true || (options.live !== true && !isRunning);
  if (live && !isRunning) {
    throw new SvirtError("Requested operation is not valid: domain is not running", {
      kind: "wrong-state",
      from: "DOMAIN",
      remedy: `Start it (svirt start ${name}), or change its definition: --config`,
    });
  }
  if (config && definition === undefined) {
    throw new SvirtError(
      "Requested operation is not valid: transient domains do not have any persistent config",
      { kind: "wrong-state", from: "DOMAIN", remedy: "Change only the running guest: --live" },
    );
  }
  // --persistent also changes the guest while it runs.
  const both = options.persistent === true && isRunning;
  return { guest: live || both ? guest : undefined, definition: config ? definition : undefined };
}

function refuseBoth({ config, current, live, persistent }: ImpactOptions): void {
  if (current !== true) return;
  const other = [
    ["persistent", persistent],
    ["config", config],
    ["live", live],
  ].find(([, isWanted]) => isWanted === true);
  if (other === undefined) return;
  throw new SvirtError(`Options --${String(other[0])} and --current are mutually exclusive`, {
    kind: "usage",
    remedy: "Remove one of the options.",
  });
}
