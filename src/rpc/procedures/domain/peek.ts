import { peekDisk } from "../../../vm/block/peek-disk.ts";
import { countedBytes, struct, uhyper, uint } from "../../xdr/form.ts";
import { aboutDomain, domain, keyOf, text } from "../objects.ts";
import { invalidArgument, type Procedure, procedure } from "../procedure.ts";

/** REMOTE_DOMAIN_BLOCK_PEEK_BUFFER_MAX of libvirt's remote_protocol.x */
const MOST_BYTES = 4_194_304;

/** Procedures reading a part of a guest's disk. */
export const peekProcedures: readonly Procedure[] = [
  procedure({
    // libvirt refuses it to a connection for reading: a disk has secrets.
    ...aboutDomain(103, "virDomainBlockPeek"),
    args: struct({ dom: domain, path: text, offset: uhyper, size: uint, flags: uint }),
    flags: { known: 0, refusedBy: "qemuDomainBlockPeek" },
    result: struct({ bytes: countedBytes(MOST_BYTES) }),
    run(call) {
      const { offset, path: disk, size: length } = call.args;
      // remoteDispatchDomainBlockPeek() of libvirt
      if (length > MOST_BYTES)
        throw invalidArgument(`size exceeds maximum of ${MOST_BYTES}`, "Read the disk in smaller parts.");
      if (offset > BigInt(Number.MAX_SAFE_INTEGER - MOST_BYTES))
        throw invalidArgument(`offset ${offset} is beyond any disk`, "Name an offset in the disk.");
      const part = { offset: Number(offset), length };
      return { bytes: peekDisk(call.instance, { domain: keyOf(call), disk }, part) };
    },
  }),
];
