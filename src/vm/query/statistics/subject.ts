import type { Domain } from "../../../domain/domain.ts";
import type { Monitor } from "../../../host/monitor.ts";
import type { Guest } from "../../../qemu/model/guest.ts";
import type { Instance } from "../../../state/instance.ts";
import type { GuestRecord } from "../../../state/record.ts";
import type { FoundDomain } from "../../guest/find-domain.ts";

/** A statistic of a domain under libvirt's key: `["vcpu.current", 2]`. */
export type Entry = readonly [key: string, value: number | string];

/** A domain whose statistics are requested. */
export interface Subject {
  readonly instance: Instance;
  readonly found: FoundDomain;
  readonly domain: Domain;
  /** The domain with all defaults and addresses that QEMU gets. */
  readonly whole: Guest;
  /** Undefined if the domain is off. */
  readonly running:
    | { readonly guest: GuestRecord; readonly pid: number; readonly monitor: Monitor }
    | undefined;
  /** Whether to list the backing images of each disk as well. */
  readonly backing: boolean;
}
