import { SvirtError } from "../../errors.ts";
import { completeDomain } from "../../resolve/complete-domain.ts";
import type { Instance } from "../../state/instance.ts";
import { findDomain } from "../guest/find-domain.ts";
import { carryOut } from "../object-change/carry-out.ts";
import { domainDefinition } from "./define.ts";
import { type Edited, editDefinition } from "./edit-definition.ts";

/**
 * Lets the caller edit a domain's definition and stores the result as `define` would. Throws "not-found",
 * "wrong-state", and the errors of `define`.
 */
export async function editDomain(instance: Instance, key: string): Promise<Edited> {
  const { definition, name, uuid } = findDomain(instance, key);
  if (definition === undefined) {
    throw new SvirtError(`Requested operation is not valid: domain '${name}' runs without a definition`, {
      kind: "wrong-state",
      remedy: `Define it first: svirt dumpxml ${name} --inactive, then svirt define`,
    });
  }
  return await editDefinition(instance, {
    name,
    id: uuid,
    xml: definition.xml,
    commands: { define: "define", dumpxml: `dumpxml ${uuid} --inactive` },
    async store(bytes, refuseOther) {
      const domain = completeDomain(instance, bytes);
      const refuse = (): void => refuseOther(findDomain(instance, uuid).definition?.xml);
      await carryOut(instance, domainDefinition(domain, refuse));
    },
  });
}
