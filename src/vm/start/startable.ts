import type { Domain } from "../../domain/domain.ts";
import { refuseListeners } from "../../domain/forbidden/listeners.ts";
import { listUnready } from "../../domain/unimplemented/refuse.ts";
import { errorsOf, throwErrors } from "../../errors.ts";
import { refusePrivileged } from "../../resolve/host/refuse-privileged.ts";
import { settleNetworks } from "../../resolve/networks.ts";
import type { Node } from "../../state/instance.ts";

/**
 * Returns the domain with its networks resolved. Throws all refusals of its start that need no inspected file, in the order
 * of the document.
 */
export function startable(node: Node, completed: Domain): Domain {
  let domain = completed;
  const errors = [
    ...errorsOf(() => {
      domain = settleNetworks(node, completed);
    }),
    ...listUnready(domain),
    ...errorsOf(() => refuseListeners(domain)),
    ...errorsOf(() => refusePrivileged(node, domain)),
  ];
  if (errors.length === 0) return domain;
  const {
    sortByDomain,
  }: typeof import("../../domain/sort-by-domain.ts") = require("../../domain/sort-by-domain.ts");
  throwErrors(sortByDomain(completed, errors));
  return domain;
}
