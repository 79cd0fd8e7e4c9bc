import type { QmpCommand } from "./qmp.ts";

/**
 * QEMU waits for a command before it changes the backing chain, and keeps the result until it is dismissed.
 * No svirt process may run when the job ends.
 */
const MANUAL = { "auto-finalize": false, "auto-dismiss": false };

interface Paced {
  readonly job: string;
  /** Undefined: unlimited. */
  readonly bytesPerSecond: number | undefined;
}

/** Command for a commit of the images from `top` down into `base`. qemuBlockCommit() of libvirt */
export function commitCommand(
  commit: Paced & {
    readonly device: string;
    readonly top: string;
    readonly base: string;
    /** New backing file name of the image above `top`; undefined when the device's own image is committed. */
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

/**
 * Command for a pull of the images above `base` into the device's own image. qemuDomainBlockPullCommon() of
 * libvirt
 */
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

/**
 * Command for a mirror of the device's image, or its whole chain, to `target`. qemuDomainBlockCopyCommon()
 */
export function mirrorCommand(
  copy: Paced & {
    readonly device: string;
    readonly target: string;
    readonly isShallow: boolean;
    readonly granularity: number | undefined;
    readonly bufferBytes: number | undefined;
    /** The guest's write completes only after it has reached both images. */
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

/** Command for all snapshots or none. Later writes of the guest go to the overlays. */
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

/** The mask makes QEMU write the image's format along with the name, not the protocol's. */
function backingKeys(backingFile: string | undefined): object {
  return backingFile === undefined ? {} : { "backing-file": backingFile, "backing-mask-protocol": true };
}
