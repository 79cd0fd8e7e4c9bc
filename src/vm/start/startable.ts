import type { Domain } from "../../domain/domain.ts";
import { refuseListeners } from "../../domain/forbidden/listeners.ts";
import { listUnimplemented } from "../../domain/unimplemented/refuse.ts";
import { errorsOf, errorsOfWork, throwErrors } from "../../errors.ts";
import { refusePrivileged } from "../../resolve/host/refuse-privileged.ts";
import { bindNetworks } from "../../resolve/networks.ts";
import { hasServers } from "../../resolve/silent-server.ts";
import { bindVolumes } from "../../resolve/volumes.ts";
import type { Instance } from "../../state/instance.ts";

/**
 * Returns the domain with its networks and volumes resolved. Throws all refusals of its start without a need
 * for inspected files, in the order of the document; after them "timeout" for a file of a silent server.
 */
export async function startable(instance: Instance, completed: Domain): Promise<Domain> {
  const silent = refusalsOn(instance);
  let domain = completed;
  const errors = [
    ...errorsOf(() => {
      domain = bindNetworks(instance, completed);
    }),
    ...(await errorsOfWork(async () => {
      await silent?.refusePools(completed);
      domain = bindVolumes(instance, domain);
    })),
    ...listUnimplemented(domain),
    ...errorsOf(() => refuseListeners(domain)),
    ...errorsOf(() => refusePrivileged(instance, domain)),
  ];
  if (errors.length === 0) {
    await silent?.refuseFiles(domain);
    return domain;
  }
  const {
    sortByDomain,
  }: typeof import("../../domain/sort-by-domain.ts") = require("../../domain/sort-by-domain.ts");
  throwErrors(sortByDomain(completed, errors));
  return domain;
}

/** Returns the refusals of servers that do not answer. Most hosts have none mounted. */
function refusalsOn(instance: Instance) {
  if (!hasServers(instance.host)) return undefined;
  const { silentRefusals }: typeof import("./refuse-silent.ts") = require("./refuse-silent.ts");
  return silentRefusals(instance);
}
