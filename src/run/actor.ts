import type { Host } from "../host/host.ts";
import type { ClaimRegistry } from "../registry/claims.ts";

/** How far a long act has come. */
export type Progress = (done: number, total: number) => void;

/** For whom steps are carried out, and with what. */
export interface Actor {
  readonly host: Host;
  readonly registry: ClaimRegistry;
  /** UUID of the guest. */
  readonly owner: string;
  readonly uid: number;
  /** In which the guest runs; absent: it is not confined. */
  readonly context?: string;
  /** The boot that the guest was started in; absent: this one. */
  readonly bootId?: string;
  /** Told of files that keep the guest's label, and why. */
  readonly onKept?: (notice: string) => void;
  /** Told of how far a step has come that may take long. */
  readonly onProgress?: Progress;
  /** Told of the terminals that a new QEMU got, by the names of their devices. */
  readonly onTerminals?: (found: ReadonlyMap<string, string>) => void;
}
