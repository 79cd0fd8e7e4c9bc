import { canonical } from "../../../domain/forms/canonical.ts";
import type { SourcedPool } from "../pool-types.ts";

/** Whether two pools have the same server. virStoragePoolSourceMatchSingleHost() of libvirt */
export function isSameHost(one: SourcedPool, other: SourcedPool): boolean {
  const [mine, theirs] = [one.source.hosts, other.source.hosts];
  return mine.length === 1 && theirs.length === 1 && canonical(mine) === canonical(theirs);
}
