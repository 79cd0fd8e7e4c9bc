import { formatDomain, parseDomainText } from "../domain/document.ts";
import type { Domain } from "../domain/domain.ts";
import type { Step } from "../plan/step.ts";
import type { Watch } from "../run/run-plan.ts";
import { type AskedChange, changeGuest } from "./change-guest.ts";
import { completeDomain } from "./complete-domain.ts";
import { defineDomain } from "./define.ts";
import { decideImpact, type Wish } from "./devices/impact.ts";
import { findDomain } from "./find-domain.ts";
import type { Node } from "./node.ts";

/** What is asked for, besides the change itself. */
export interface Ask {
  /** Name, id or uuid of the domain. */
  readonly key: string;
  readonly wish: Wish;
  /** Nothing is changed. */
  readonly isDryRun: boolean;
  readonly watch?: Watch;
}

/** What was done, or would be: the steps on the running guest, none when only its definition is concerned. */
export interface Changed {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** How each of the two changes. */
export interface Change {
  readonly live: AskedChange;
  config(domain: Domain): Domain;
}

/**
 * Changes the running guest, the definition or both, whichever is meant. Throws what the decisions and the host throw;
 * what the definition refuses is refused before the guest changes.
 */
export async function changeDomain(node: Node, ask: Ask, how: Change): Promise<Changed> {
  const found = findDomain(node, ask.key);
  const { definition, guest } = decideImpact(found, ask.wish);
  const config = definition === undefined ? undefined : changeDefinition(node, definition.xml, how.config);
  if (ask.isDryRun) {
    const { after, steps } = guest === undefined ? { after: [], steps: [] } : how.live.decide(guest);
    return { name: found.name, steps: [...steps, ...after] };
  }
  if (guest !== undefined) {
    const { watch } = ask;
    await changeGuest(node, guest.uuid, { asked: how.live, ...(watch === undefined ? {} : { watch }) });
  }
  if (config !== undefined) await defineDomain(node, config);
  return { name: found.name, steps: [] };
}

/** A definition as it would be, to be stored. Throws what it refuses. */
export function changeDefinition(node: Node, xml: string, change: Change["config"]): Uint8Array {
  const changed = change(parseDomainText(xml));
  const bytes = new TextEncoder().encode(formatDomain(changed));
  // For its refusals: defining it decides the same once more.
  completeDomain(node, bytes);
  return bytes;
}
