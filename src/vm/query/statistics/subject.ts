import type { Domain } from "../../../domain/domain.ts";
import type { Monitor } from "../../../host/host.ts";
import type { Guest } from "../../../qemu/model/guest.ts";
import type { Node } from "../../../state/instance.ts";
import type { GuestRecord } from "../../../state/record.ts";
import type { FoundDomain } from "../../guest/find-domain.ts";

/** What is told of a domain, by libvirt's key: `["vcpu.current", 2]`. */
export type Entry = readonly [key: string, value: number | string];

/** A domain that is asked about. */
export interface Subject {
  readonly node: Node;
  readonly found: FoundDomain;
  readonly domain: Domain;
  /** With all that QEMU gets. */
  readonly whole: Guest;
  /** Only while it runs. */
  readonly running:
    | { readonly guest: GuestRecord; readonly pid: number; readonly monitor: Monitor }
    | undefined;
  /** The nodes below each disk's image as well. */
  readonly backing: boolean;
}
