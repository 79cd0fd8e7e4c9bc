import { SvirtError } from "../../errors.ts";
import type { FilePart } from "../../host/new-file.ts";
import { openConsole } from "../../vm/console/talk-to-guest.ts";
import { openScreenshot } from "../../vm/save/screenshot.ts";
import { openUpload } from "../../vm/volume/content/upload-volume.ts";
import { openDownload } from "../../vm/volume/print-volume.ts";
import { struct, uhyper, uint } from "../xdr/form.ts";
import { domain, domainKeys, keyOf, maybeText, nothing } from "./objects.ts";
import { type Procedure, procedure, type Session } from "./procedure.ts";
import { found, volume } from "./storage/volume-objects.ts";

/** Most streams of a connection. Calls that are carried out may open a few more. */
const MOST_STREAMS = 16;
/**
 * VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM and VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM of libvirt's
 * libvirt-storage.h
 */
const SPARSE = 1;
/**
 * virDomainConsoleFlags of libvirt's libvirt-domain.h. svirt always is safe: a single client at a time has a
 * console.
 */
const CONSOLE = { force: 1, safe: 2 };
/** VIR_DOMAIN_CHANNEL_FORCE of libvirt's libvirt-domain.h */
const CHANNEL_FORCE = 1;

const ofPart = struct({ vol: volume, offset: uhyper, length: uhyper, flags: uint });

/** Procedures opening a stream. */
export const streamProcedures: readonly Procedure[] = [
  procedure({
    number: 208,
    api: "virStorageVolUpload",
    recovers: () => [],
    args: ofPart,
    flags: { known: SPARSE, refusedBy: "storageVolUpload" },
    result: nothing,
    async run(call) {
      refuseMore(call.session);
      const { name, path, pool } = await found(call);
      const part = partOf(call.args, path);
      const stream = await openUpload(call.instance, { key: name, pool: pool.uuid }, part);
      call.open({ stream, isSparse: part.isSparse });
      return {};
    },
  }),
  procedure({
    number: 209,
    api: "virStorageVolDownload",
    recovers: () => [],
    args: ofPart,
    flags: { known: SPARSE, refusedBy: "storageVolDownload" },
    result: nothing,
    async run(call) {
      refuseMore(call.session);
      const { name, path, pool } = await found(call);
      const part = partOf(call.args, path);
      const { stream } = await openDownload(call.instance, { key: name, pool: pool.uuid }, part);
      call.open({ stream, isSparse: part.isSparse });
      return {};
    },
  }),
  procedure({
    number: 211,
    api: "virDomainScreenshot",
    recovers: domainKeys,
    args: struct({ dom: domain, screen: uint, flags: uint }),
    flags: { known: 0, refusedBy: "qemuDomainScreenshot" },
    result: struct({ mime: maybeText }),
    async run(call) {
      refuseMore(call.session);
      const { stream, type } = await openScreenshot(call.instance, keyOf(call), call.args.screen);
      call.open({ stream, isSparse: false });
      return { mime: type };
    },
  }),
  procedure({
    number: 201,
    api: "virDomainOpenConsole",
    recovers: domainKeys,
    args: struct({ dom: domain, device: maybeText, flags: uint }),
    flags: { known: CONSOLE.force | CONSOLE.safe, refusedBy: "qemuDomainOpenConsole" },
    result: nothing,
    async run(call) {
      refuseMore(call.session);
      const { device, flags } = call.args;
      const stream = await openConsole(call.instance, keyOf(call), {
        name: device,
        force: (flags & CONSOLE.force) !== 0,
      });
      call.open({ stream, isSparse: false });
      return {};
    },
  }),
  procedure({
    number: 296,
    api: "virDomainOpenChannel",
    recovers: domainKeys,
    args: struct({ dom: domain, name: maybeText, flags: uint }),
    flags: { known: CHANNEL_FORCE, refusedBy: "qemuDomainOpenChannel" },
    result: nothing,
    async run(call) {
      refuseMore(call.session);
      const { flags, name } = call.args;
      const force = (flags & CHANNEL_FORCE) !== 0;
      const stream = await openConsole(call.instance, keyOf(call), { name, force, isChannel: true });
      call.open({ stream, isSparse: false });
      return {};
    },
  }),
];

/** Returns the client's part of a volume; length 0 is all of it. Throws for an impossible offset. lseek(2) */
function partOf(
  { flags, length, offset }: { readonly offset: bigint; readonly length: bigint; readonly flags: number },
  path: string,
): FilePart {
  if (offset > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new SvirtError(`Unable to seek ${path} to ${offset}: Invalid argument`, {
      kind: "host-call",
      from: "STREAMS",
      remedy: "Name an offset within the volume.",
    });
  }
  const mostBytes = length === 0n || length > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : Number(length);
  return { offset: Number(offset), mostBytes, isSparse: (flags & SPARSE) !== 0 };
}

function refuseMore({ streams }: Session): void {
  if (streams < MOST_STREAMS) return;
  throw new SvirtError(`operation failed: the connection has ${streams} open streams`, {
    kind: "failed",
    libvirt: "OPERATION_FAILED",
    from: "STREAMS",
    remedy: "Finish one of them, or open another connection.",
  });
}
