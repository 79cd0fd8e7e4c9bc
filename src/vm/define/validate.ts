import type { Domain } from "../../domain/domain.ts";
import { firstErrors, type SvirtError } from "../../errors.ts";
import { inspectLooseDomain } from "../../resolve/complete-domain.ts";
import type { Instance } from "../../state/instance.ts";

/** A checked document and its refusals: two lists in the order of the document, of at most 100 each. */
export interface ValidatedDomain {
  /** The domain as define would store it; undefined if it is refused. */
  readonly domain: Domain | undefined;
  readonly errors: readonly SvirtError[];
  /** Refusals made by a start and not by define. */
  readonly startErrors: readonly SvirtError[];
}

/** Checks a domain's XML without regard to the files and definitions of the host. */
export function validateDomain({ host }: Instance, bytes: Uint8Array): ValidatedDomain {
  const { domain, errors, listStartErrors } = inspectLooseDomain(host, bytes);
  return { domain, errors: firstErrors(errors), startErrors: firstErrors(listStartErrors()) };
}
