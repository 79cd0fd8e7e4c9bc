import { formatDomain, parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import type { Step } from "../../plan/steps/step.ts";
import { completeDomain } from "../../resolve/complete-domain.ts";
import type { Watch } from "../../run/steps/run-plan.ts";
import type { Definition } from "../../state/definitions.ts";
import type { Node } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import { storeDomain } from "../define/define.ts";
import { findDomain } from "../guest/find-domain.ts";
import { type AskedChange, changeGuest } from "./change-guest.ts";
import { decideImpact, type Wish } from "./impact.ts";

/** Target and options of a change. */
export interface Ask {
  /** Name, id or uuid of the domain. */
  readonly key: string;
  readonly wish: Wish;
  /** Change nothing. */
  readonly isDryRun: boolean;
  readonly watch?: Watch;
}

/** Steps on the running guest that a dry run would take; none if the change was made or only the definition is concerned. */
export interface Changed {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** How to change the running guest and the definition. */
export interface Change {
  readonly live: AskedChange;
  config(domain: Domain): Domain;
}

/**
 * Changes the running guest, the definition or both, as `ask` selects. The definition's refusals come before the guest
 * changes. Throws the errors of the decisions and the host.
 */
export async function changeDomain(node: Node, ask: Ask, how: Change): Promise<Changed> {
  const found = findDomain(node, ask.key);
  const { definition, guest } = decideImpact(found, ask.wish);
  if (definition !== undefined) refuseChange(node, definition, how.config);
  if (ask.isDryRun) {
    const { after, steps } = guest === undefined ? { after: [], steps: [] } : how.live.decide(guest);
    return { name: found.name, steps: [...steps, ...after] };
  }
  if (guest !== undefined) {
    const { watch } = ask;
    await changeGuest(node, guest.uuid, { asked: how.live, ...(watch === undefined ? {} : { watch }) });
  }
  if (definition !== undefined) await changeDefinition(node, found.uuid, how.config);
  return { name: found.name, steps: [] };
}

/** Throws the refusals of a change of a definition, before anything is changed. */
export function refuseChange(node: Node, { xml }: Definition, change: Change["config"]): void {
  changed(node, xml, change);
}

/**
 * Changes the present definition: another call may have changed another part of it. Throws "not-found", "wrong-state"
 * when it is gone.
 */
export async function changeDefinition(node: Node, uuid: string, change: Change["config"]): Promise<void> {
  await withRegistryLock(node, async () => {
    const { definition } = decideImpact(findDomain(node, uuid), { config: true });
    if (definition !== undefined) storeDomain(node, changed(node, definition.xml, change));
  });
}

function changed(node: Node, xml: string, change: Change["config"]): Domain {
  return completeDomain(node, new TextEncoder().encode(formatDomain(change(parseDomainText(xml)))));
}
