import { formatDomain, parseDomainText } from "../../domain/document.ts";
import { diskNamed, type Iotune, replaceIotune } from "../../domain/edits/iotune.ts";
import { listDiskTunables } from "../../domain/edits/tunables.ts";
import { SvirtError } from "../../errors.ts";
import { guestPaths } from "../../plan/paths.ts";
import { setSpeed } from "../../qemu/iotune-commands.ts";
import { refuseUndefinable } from "../../qemu/stored-domain.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { type Ask, type Changed, changeDomain } from "../change/change-domain.ts";
import type { DecidedChange } from "../change/change-guest.ts";
import { runningGuest } from "../guest/running-guest.ts";
import { noteTuning } from "./change-limits.ts";
import { findShown } from "./read-limits.ts";

/** Limits of one disk, by its target or path. */
interface DiskLimits {
  readonly disk: string;
  readonly limits: Partial<Iotune>;
}

/**
 * Returns the limits of a disk in the domain that `ask` selects. Throws the errors of findShown(), "usage"
 * for a missing disk.
 */
export function readDiskLimits(instance: Instance, ask: Ask, disk: string): Partial<Iotune> {
  return diskNamed(findShown(instance, ask).domain, disk).iotune ?? {};
}

/**
 * Changes the limits of a disk, in the running guest and in the definition separately. Throws the errors of
 * changeDomain(). qemuDomainSetBlockIoTune() of libvirt
 */
export async function changeDiskLimits(
  instance: Instance,
  ask: Ask,
  { disk, limits }: DiskLimits,
): Promise<Changed> {
  let limited: GuestRecord | undefined;
  const changed = await changeDomain(instance, ask, {
    live: {
      what: `limit the disk ${disk}`,
      decide(guest) {
        limited = guest;
        return decideLimits(instance, guest, { disk, limits });
      },
    },
    config: (domain) => replaceIotune(domain, disk, limits),
  });
  if (limited !== undefined && !ask.isDryRun)
    await noteTuning(instance, { guest: limited, parameters: listDiskTunables(disk, limits) });
  return changed;
}

function decideLimits(
  instance: Instance,
  record: GuestRecord,
  { disk: name, limits }: DiskLimits,
): DecidedChange {
  const { domain, guest } = runningGuest(record);
  const changed = replaceIotune(parseDomainText(record.xml), name, limits);
  refuseUndefinable(changed);
  const disk = diskNamed(domain, name);
  if (disk.source === undefined) throw empty(name);
  const { iotune } = diskNamed(changed, name);
  const { monitor } = guestPaths(instance.paths, record.uuid);
  return {
    steps: [
      {
        do: "change-setting",
        monitor,
        command: setSpeed(guest, disk, iotune),
        before: setSpeed(guest, disk, disk.iotune),
      },
    ],
    after: [],
    xml: formatDomain(changed),
  };
}

function empty(name: string): SvirtError {
  return new SvirtError(
    `Requested operation is not valid: disk '${name}' does not currently have a source assigned`,
    {
      kind: "wrong-state",
      remedy: "Insert a medium first: svirt change-media",
    },
  );
}
