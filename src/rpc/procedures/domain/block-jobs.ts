import { parseCopyTarget } from "../../../domain/other-documents/copy-target.ts";
import { SvirtError } from "../../../errors.ts";
import type { BlockJob } from "../../../plan/facts/block-job.ts";
import { NO_OBSERVER } from "../../../run/steps/run-plan.ts";
import type { Instance } from "../../../state/instance.ts";
import { commitLive } from "../../../vm/block/commit.ts";
import { type CopyOptions, copyLive } from "../../../vm/block/copy.ts";
import { endBlockJob, paceBlockJob, readJob, startBlockJob } from "../../../vm/block/jobs.ts";
import { pullLive } from "../../../vm/block/pull.ts";
import { resizeDisk } from "../../../vm/block/resize-disk.ts";
import type { ChangeRequest } from "../../../vm/change/change-guest.ts";
import { array, int, struct, uhyper, uint } from "../../xdr/form.ts";
import { type TypedParameter, typedParameter } from "../../xdr/typed-parameter.ts";
import { aboutDomain, domain, domainKeys, keyOf, maybeText, nothing, text } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";

const MIB = 1024 * 1024;
const KIB = 1024;
/** virDomainBlockJobAbortFlags of libvirt's libvirt-domain.h */
const ABORT = { async: 1, pivot: 2 };
/** VIR_DOMAIN_BLOCK_JOB_INFO_BANDWIDTH_BYTES, VIR_DOMAIN_BLOCK_JOB_SPEED_BANDWIDTH_BYTES */
const BYTES = 1;
/** virDomainBlockRebaseFlags, without _RELATIVE. */
const REBASE = { shallow: 1, reuses: 2, raw: 4, copy: 8, device: 32, bytes: 64 };
const REBASE_FLAGS = Object.values(REBASE).reduce((all, bit) => all | bit);
/** virDomainBlockCopyFlags */
const COPY = { shallow: 1, reuses: 2, transientJob: 4, synchronous: 8 };
const COPY_FLAGS = Object.values(COPY).reduce((all, bit) => all | bit);
/** virDomainBlockCommitFlags, without _DELETE and _RELATIVE. */
const COMMIT = { shallow: 1, active: 4, bytes: 16 };
/** virDomainBlockResizeFlags */
const RESIZE = { bytes: 1, capacity: 2 };
/** REMOTE_DOMAIN_BLOCK_COPY_PARAMETERS_MAX of libvirt's remote_protocol.x */
const MOST_PARAMETERS = 16;
/** virDomainBlockJobType of libvirt's libvirt-domain.h */
const TYPES: Readonly<Record<BlockJob["type"], number>> = {
  pull: 1,
  copy: 2,
  commit: 3,
  "active-commit": 4,
  snapshot: 0,
};

const aboutDisk = struct({ dom: domain, path: text, flags: uint });
const paced = struct({ dom: domain, path: text, bandwidth: uhyper, flags: uint });

/** Procedures about the images of a running guest's disks. */
export const blockJobProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(237, "virDomainBlockJobAbort"),
    args: aboutDisk,
    flags: { known: ABORT.async | ABORT.pivot, refusedBy: "qemuDomainBlockJobAbort" },
    result: nothing,
    async run(call) {
      const { flags, path } = call.args;
      const end = (flags & ABORT.pivot) === 0 ? "abort" : "pivot";
      await endBlockJob(call.instance, keyOf(call), { path, end, isAsync: (flags & ABORT.async) !== 0 });
      return {};
    },
  }),
  procedure({
    number: 238,
    api: "virDomainGetBlockJobInfo",
    recovers: domainKeys,
    args: aboutDisk,
    flags: { known: BYTES, refusedBy: "qemuDomainGetBlockJobInfo" },
    result: struct({ found: int, type: int, bandwidth: uhyper, current: uhyper, end: uhyper }),
    async run(call) {
      const { flags, path } = call.args;
      const job = await readJob(call.instance, keyOf(call), path);
      if (job === undefined) return { found: 0, type: 0, bandwidth: 0n, current: 0n, end: 0n };
      return { found: 1, type: TYPES[job.job.type], ...progressOf(job, (flags & BYTES) !== 0) };
    },
  }),
  procedure({
    ...aboutDomain(239, "virDomainBlockJobSetSpeed"),
    args: paced,
    flags: { known: BYTES, refusedBy: "qemuDomainBlockJobSetSpeed" },
    result: nothing,
    async run(call) {
      const { bandwidth, flags, path } = call.args;
      const bytesPerSecond = paceOf(bandwidth, (flags & BYTES) !== 0) ?? 0;
      await paceBlockJob(call.instance, keyOf(call), { path, bytesPerSecond });
      return {};
    },
  }),
  procedure({
    ...aboutDomain(240, "virDomainBlockPull"),
    args: paced,
    flags: { known: REBASE.bytes, refusedBy: "qemuDomainBlockPull" },
    result: nothing,
    async run(call) {
      const { bandwidth, flags, path } = call.args;
      const bytesPerSecond = paceOf(bandwidth, (flags & REBASE.bytes) !== 0);
      const request = pullLive(call.instance, { path, base: undefined, bytesPerSecond });
      return await start(call.instance, keyOf(call), request);
    },
  }),
  procedure({
    ...aboutDomain(266, "virDomainBlockRebase"),
    args: struct({ dom: domain, path: text, base: maybeText, bandwidth: uhyper, flags: uint }),
    flags: { known: REBASE_FLAGS, refusedBy: "qemuDomainBlockRebase" },
    result: nothing,
    async run(call) {
      const { bandwidth, base, flags, path } = call.args;
      const has = (bit: number): boolean => (flags & bit) !== 0;
      const bytesPerSecond = paceOf(bandwidth, has(REBASE.bytes));
      if (!has(REBASE.copy))
        return await start(
          call.instance,
          keyOf(call),
          pullLive(call.instance, { path, base, bytesPerSecond }),
        );
      const copy: CopyOptions = {
        ...NO_LIMITS,
        path,
        dest: base ?? "",
        storage: has(REBASE.device) ? "block" : "file",
        format: has(REBASE.raw) ? "raw" : undefined,
        isShallow: has(REBASE.shallow),
        reuses: has(REBASE.reuses),
        bytesPerSecond,
        isSynchronous: false,
      };
      return await start(call.instance, keyOf(call), copyLive(call.instance, copy));
    },
  }),
  procedure({
    ...aboutDomain(345, "virDomainBlockCopy"),
    args: struct({
      dom: domain,
      path: text,
      xml: text,
      params: array(typedParameter, MOST_PARAMETERS),
      flags: uint,
    }),
    flags: { known: COPY_FLAGS, refusedBy: "qemuDomainBlockCopy" },
    result: nothing,
    async run(call) {
      const { flags, params, path, xml } = call.args;
      const { driver, source, type } = parseCopyTarget(new TextEncoder().encode(xml));
      const copy: CopyOptions = {
        ...NO_LIMITS,
        ...limitsIn(params),
        path,
        dest: "file" in source ? source.file : source.dev,
        storage: type,
        format: driver?.type,
        encryption: source.encryption,
        isShallow: (flags & COPY.shallow) !== 0,
        reuses: (flags & COPY.reuses) !== 0,
        isSynchronous: (flags & COPY.synchronous) !== 0,
      };
      return await start(call.instance, keyOf(call), copyLive(call.instance, copy));
    },
  }),
  procedure({
    ...aboutDomain(290, "virDomainBlockCommit"),
    args: struct({
      dom: domain,
      path: text,
      base: maybeText,
      top: maybeText,
      bandwidth: uhyper,
      flags: uint,
    }),
    flags: { known: COMMIT.shallow | COMMIT.active | COMMIT.bytes, refusedBy: "qemuDomainBlockCommit" },
    result: nothing,
    async run(call) {
      const { bandwidth, base, flags, path, top } = call.args;
      const request = commitLive(call.instance, {
        path,
        base,
        top,
        isShallow: (flags & COMMIT.shallow) !== 0,
        isActive: (flags & COMMIT.active) !== 0,
        bytesPerSecond: paceOf(bandwidth, (flags & COMMIT.bytes) !== 0),
      });
      return await start(call.instance, keyOf(call), request);
    },
  }),
  procedure({
    ...aboutDomain(251, "virDomainBlockResize"),
    args: struct({ dom: domain, path: text, size: uhyper, flags: uint }),
    flags: { known: RESIZE.bytes | RESIZE.capacity, refusedBy: "qemuDomainBlockResize" },
    result: nothing,
    async run(call) {
      const { flags, path, size } = call.args;
      const isCapacity = (flags & RESIZE.capacity) !== 0;
      const bytes = numberOf(size, (flags & RESIZE.bytes) === 0 ? KIB : 1, "size");
      const sizeBytes = isCapacity && bytes === 0 ? undefined : bytes;
      await resizeDisk(call.instance, keyOf(call), { path, sizeBytes, isCapacity });
      return {};
    },
  }),
];

const NO_LIMITS = { bytesPerSecond: undefined, granularity: undefined, bufferBytes: undefined } as const;

async function start(instance: Instance, key: string, request: ChangeRequest): Promise<object> {
  await startBlockJob(instance, key, { request, observer: NO_OBSERVER });
  return {};
}

/**
 * Returns the progress of a job: its end is reached only when it is ready. qemuBlockJobInfoTranslate() of
 * libvirt
 */
function progressOf(
  { qemu, speed }: NonNullable<Awaited<ReturnType<typeof readJob>>>,
  isInBytes: boolean,
): { readonly bandwidth: bigint; readonly current: bigint; readonly end: bigint } {
  const bandwidth = BigInt(isInBytes ? speed : Math.ceil(speed / MIB));
  const isReady = qemu.status === "ready";
  const { "current-progress": current, "total-progress": end } = qemu;
  if (current === 0 && end === 0) return { bandwidth, current: isReady ? 1n : 0n, end: 1n };
  const shown = !isReady && current === end ? current - 1 : current;
  return { bandwidth, current: BigInt(shown), end: BigInt(end) };
}

/** Returns a bandwidth in bytes per second; undefined for none. */
function paceOf(bandwidth: bigint, isInBytes: boolean): number | undefined {
  return numberOf(bandwidth, isInBytes ? 1 : MIB, "bandwidth") || undefined;
}

function numberOf(value: bigint, unit: number, name: string): number {
  const most = BigInt(Math.floor(Number.MAX_SAFE_INTEGER / unit));
  if (value <= most) return Number(value) * unit;
  throw new SvirtError(`numerical overflow: ${name} must be less than ${most}`, {
    kind: "usage",
    libvirt: "OVERFLOW",
    remedy: "Give a smaller number.",
  });
}

/**
 * Returns the limits of a copy. Throws "usage" with libvirt's message for another parameter.
 * virTypedParamsValidate() of libvirt
 */
function limitsIn(params: readonly TypedParameter[]): Partial<Omit<CopyOptions, "path">> {
  const known = {
    bandwidth: "bytesPerSecond",
    granularity: "granularity",
    "buf-size": "bufferBytes",
  } as const;
  const names = new Map(Object.entries(known));
  return Object.fromEntries(
    params.flatMap(({ field, value: typed }) => {
      const name = names.get(field);
      if (name === undefined || (typed.type !== "ullong" && typed.type !== "uint")) {
        throw new SvirtError(`argument unsupported: parameter '${field}' not supported`, {
          kind: "usage",
          libvirt: "ARGUMENT_UNSUPPORTED",
          remedy: "Give bandwidth, granularity or buf-size.",
        });
      }
      const number = numberOf(BigInt(typed.value), 1, field);
      return number === 0 ? [] : [[name, number]];
    }),
  );
}
