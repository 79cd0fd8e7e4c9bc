import { type SvirtError, unlessRefused } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import type { XmlStore } from "../../state/xml-store.ts";

// Rule: A damaged file refuses changes, since the resources that it names are unknown.

/** Objects with files read by a check, for the protection of their guests. */
export interface Checked {
  /** Active objects, or also objects with a definition only. */
  readonly which: "active" | "all";
  /** Name of an object that the check is about: its own commands report its file. */
  readonly except?: string;
  /** Throws for a document that is damaged. */
  parse(xml: string): unknown;
}

/**
 * Throws "failed" with the path if any of these objects has a damaged file. Its resources are unknown,
 * whereas a list can leave it out.
 */
export function refuseDamaged(store: XmlStore, instance: Instance, { except, parse, which }: Checked): void {
  for (const { isActive, name } of store.listEntries(instance)) {
    if (name === except || (which === "active" && !isActive)) continue;
    const found = store.read(instance, name);
    for (const form of FORMS[which]) {
      const xml = found?.[form];
      if (xml !== undefined)
        readForm(
          () => parse(xml),
          (cause) => store.damaged(instance, { name, form }, cause),
        );
    }
  }
}

const FORMS = { active: ["active"], all: ["active", "defined"] } as const;

function readForm(read: () => unknown, toDamaged: (cause: SvirtError) => SvirtError): void {
  unlessRefused(read, (cause) => {
    throw toDamaged(cause);
  });
}
