import { SvirtError } from "../../errors.ts";
import { completeDomain } from "../../resolve/complete-domain.ts";
import type { Instance } from "../../state/instance.ts";
import { findDomain } from "../guest/find-domain.ts";
import { domainDefinition } from "./define.ts";
import { type Edited, editDefinition, type TreatChange } from "./edit-definition.ts";

/**
 * Lets the caller edit a domain's definition, and treats the change that `define` would make of it. Throws
 * "not-found", "wrong-state", and the errors of `define`.
 */
export async function editDomain<Result>(
  instance: Instance,
  key: string,
  treat: TreatChange<Result>,
): Promise<Edited<Result>> {
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
      return await treat(domainDefinition(domain, refuse));
    },
  });
}
