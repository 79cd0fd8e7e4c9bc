import type { QmpCommand } from "./qmp.ts";

/**
 * QEMU waits to be told before it changes who stands on whom, and remembers how the job ended until it is told to forget:
 * nobody may be there to see it end.
 */
const MANUAL = { "auto-finalize": false, "auto-dismiss": false };

interface Paced {
  readonly job: string;
  /** Undefined: as fast as it goes. */
  readonly bytesPerSecond: number | undefined;
}

/** What an image of a chain has more than the one below is written down there. qemuBlockCommit() of libvirt */
export function commitCommand(
  commit: Paced & {
    readonly device: string;
    readonly top: string;
    readonly base: string;
    /** What the image above names from then on; undefined when the device's own image is committed. */
    readonly backingFile: string | undefined;
  },
): QmpCommand {
  const { backingFile, base, bytesPerSecond, device, job, top } = commit;
  return {
    execute: "block-commit",
    arguments: {
      device,
      "job-id": job,
      ...speedKey(bytesPerSecond),
      "top-node": top,
      "base-node": base,
      ...backingKeys(backingFile),
      ...MANUAL,
    },
  };
}

/** What is below is read up into the device's own image, as far as the base. qemuDomainBlockPullCommon() of libvirt */
export function streamCommand(
  pull: Paced & {
    readonly device: string;
    readonly base: { readonly node: string; readonly path: string } | undefined;
  },
): QmpCommand {
  const { base, bytesPerSecond, device, job } = pull;
  return {
    execute: "block-stream",
    arguments: {
      device,
      "job-id": job,
      ...(base === undefined ? {} : { "base-node": base.node }),
      ...backingKeys(base?.path),
      ...speedKey(bytesPerSecond),
      ...MANUAL,
    },
  };
}

/** What the device's image, or its whole chain, says goes to another image, then and on. qemuDomainBlockCopyCommon() */
export function mirrorCommand(
  copy: Paced & {
    readonly device: string;
    readonly target: string;
    readonly isShallow: boolean;
    readonly granularity: number | undefined;
    readonly bufferBytes: number | undefined;
    /** The guest waits until both have what it writes. */
    readonly isSynchronous: boolean;
  },
): QmpCommand {
  const { bufferBytes, bytesPerSecond, device, granularity, isShallow, isSynchronous, job, target } = copy;
  return {
    execute: "blockdev-mirror",
    arguments: {
      "job-id": job,
      device,
      target,
      ...speedKey(bytesPerSecond),
      ...(granularity === undefined ? {} : { granularity }),
      ...(bufferBytes === undefined ? {} : { "buf-size": bufferBytes }),
      sync: isShallow ? "top" : "full",
      ...(isSynchronous ? { "copy-mode": "write-blocking" } : {}),
      ...MANUAL,
    },
  };
}

/** All at once or none: what the guest writes from then on goes to the overlays. */
export function snapshotCommand(
  pairs: readonly { readonly node: string; readonly overlay: string }[],
): QmpCommand {
  return {
    execute: "transaction",
    arguments: { actions: pairs.map((data) => ({ type: "blockdev-snapshot", data })) },
  };
}

function speedKey(bytesPerSecond: number | undefined): object {
  return bytesPerSecond === undefined ? {} : { speed: bytesPerSecond };
}

/** The format that is written beside the name is the image's, not that of how QEMU reaches it. */
function backingKeys(backingFile: string | undefined): object {
  return backingFile === undefined ? {} : { "backing-file": backingFile, "backing-mask-protocol": true };
}
