import type { Domain } from "../../domain/domain.ts";
import { refuseListeners } from "../../domain/forbidden/listeners.ts";
import { listUnready } from "../../domain/unimplemented/refuse.ts";
import { errorsOf, throwErrors } from "../../errors.ts";
import { refusePrivileged } from "../../resolve/host/refuse-privileged.ts";
import { settleNetworks } from "../../resolve/networks.ts";
import type { Node } from "../../state/instance.ts";

/**
 * The domain with its networks looked up. Throws all that refuses its start before its files are looked at, in the order
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
