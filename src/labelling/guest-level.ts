import type { Domain } from "../domain/domain.ts";
import { joinErrors } from "../errors.ts";
import { requestOf } from "../label/label-request.ts";
import { BY_CLAIMS, type LevelOffer, type LevelRequest, LevelsTaken } from "../registry/level-allocator.ts";
import { type Instance, levelsOf } from "../state/instance.ts";
import { readRecord } from "../state/record.ts";
import { levelOf } from "./guest-label.ts";

/** Maximum number of ranges offered by a store to a start. */
const MOST_OFFERS = 4;

/**
 * Does the work of a start with the guest's possible ranges. If a store's range is in use on this host, it is
 * released and the work begins again with another. A store's range is also released if the start fails; a
 * guest left over by a failed clean-up has a record, and keeps it. The caller holds the guest's lock. Throws
 * the errors of the work and of the store.
 */
export async function withLevel<Result>(
  instance: Instance,
  domain: Domain,
  work: (offer: LevelOffer) => Promise<Result>,
): Promise<Result> {
  const refused = new Set<string>();
  for (;;) {
    const offer = await offerLevel(instance, domain, { purpose: "start", refused });
    if (offer.by === "claims") return await work(offer);
    try {
      return await work(offer);
    } catch (error) {
      if (readRecord(instance, domain.uuid) === undefined) await release(offer, error);
      refused.add(offer.range);
      if (!(error instanceof LevelsTaken) || refused.size >= MOST_OFFERS) throw error;
    }
  }
}

/**
 * Returns the ranges that the guest may get. A guest without a dynamic label needs no offer. Throws the
 * store's errors.
 */
export async function offerLevel(
  instance: Instance,
  domain: Domain,
  asked: Pick<LevelRequest, "purpose" | "refused">,
): Promise<LevelOffer> {
  if (requestOf(domain).type !== "dynamic") return BY_CLAIMS;
  return await levelsOf(instance).offer({
    ...asked,
    uuid: domain.uuid,
    level: () => levelOf(instance, domain),
  });
}

async function release(offer: Extract<LevelOffer, { readonly by: "store" }>, first: unknown): Promise<void> {
  try {
    await offer.release();
  } catch (later) {
    throw joinErrors(first, [later]);
  }
}
