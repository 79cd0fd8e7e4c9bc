import { SvirtError } from "../../../errors.ts";
import type { DumpOptions } from "../../../plan/actions/stream.ts";
import { CODESETS, qcodeIn } from "../../../qemu/monitor/key-code-sets.ts";
import { injectNmi, pressKeys, resetGuest } from "../../../vm/lifecycle/ask-guest.ts";
import { countDisks, type DiskError, listDiskErrors } from "../../../vm/query/disk-errors.ts";
import { dumpDomain } from "../../../vm/save/dump-domain.ts";
import { array, int, struct, uint, type ValueOf } from "../../xdr/form.ts";
import { onlyOneOf } from "../impact.ts";
import { aboutDomain, domain, keyOf, nothing, ofDomainWithFlags, text } from "../objects.ts";
import { invalidArgument, type Procedure, procedure, type RemoteCall } from "../procedure.ts";
import { absolute } from "./saving.ts";

/** virDomainCoreDumpFlags of libvirt's libvirt-domain.h. VIR_DUMP_BYPASS_CACHE is not implemented. */
const DUMP = { crash: 1, live: 2, reset: 8, memoryOnly: 16 };
const DUMP_FLAGS = DUMP.crash | DUMP.live | DUMP.reset | DUMP.memoryOnly;
/**
 * virDomainCoreDumpFormat of libvirt, by QEMU's names. QEMU must seek in a file of the last three, and has a
 * pipe.
 */
const FORMATS = ["elf", "kdump-zlib", "kdump-lzo", "kdump-snappy", "win-dmp"];
const SEEKING = 3;
/** REMOTE_DOMAIN_SEND_KEY_MAX of libvirt's remote_protocol.x */
const MOST_KEYS = 16;

/**
 * REMOTE_DOMAIN_DISK_ERRORS_MAX of libvirt's remote_protocol.x, and virDomainDiskErrorCode of
 * libvirt-domain.h
 */
const MOST_ERRORS = 256;
const DISK_ERRORS: Readonly<Record<DiskError["error"], number>> = { "unspecified error": 1, "no space": 2 };

/** State of a guest after a dump with VIR_DUMP_CRASH or VIR_DUMP_RESET. */
const AFTERWARDS = { first: "end", second: "reset" } as const;

const pathArguments = struct({ dom: domain, path: text, flags: uint });

/** Procedures with questions to a running guest's QEMU. */
export const requestProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(245, "virDomainReset"),
    args: ofDomainWithFlags,
    flags: { known: 0, refusedBy: "qemuDomainReset" },
    result: nothing,
    async run(call) {
      await resetGuest(call.instance, keyOf(call));
      return {};
    },
  }),
  procedure({
    ...aboutDomain(210, "virDomainInjectNMI"),
    args: ofDomainWithFlags,
    flags: { known: 0, refusedBy: "qemuDomainInjectNMI" },
    result: nothing,
    async run(call) {
      await injectNmi(call.instance, keyOf(call));
      return {};
    },
  }),
  procedure({
    ...aboutDomain(226, "virDomainSendKey"),
    args: struct({ dom: domain, codeset: uint, holdMs: uint, keys: array(uint, MOST_KEYS), flags: uint }),
    flags: { known: 0, refusedBy: "qemuDomainSendKey" },
    result: nothing,
    async run(call) {
      const { codeset, holdMs, keys } = call.args;
      const qcodes = qcodesOf(codeset, keys);
      await pressKeys(call.instance, keyOf(call), { qcodes, holdMs: holdMs === 0 ? undefined : holdMs });
      return {};
    },
  }),
  procedure({
    ...aboutDomain(53, "virDomainCoreDump"),
    args: pathArguments,
    flags: { known: DUMP_FLAGS, refusedBy: "qemuDomainCoreDumpWithFormat" },
    result: nothing,
    run: async (call) => await dump(call, 0),
  }),
  procedure({
    ...aboutDomain(334, "virDomainCoreDumpWithFormat"),
    args: struct({ dom: domain, path: text, format: uint, flags: uint }),
    flags: { known: DUMP_FLAGS, refusedBy: "qemuDomainCoreDumpWithFormat" },
    result: nothing,
    run: async (call) => await dump(call, call.args.format),
  }),
  procedure({
    ...aboutDomain(263, "virDomainGetDiskErrors"),
    args: struct({ dom: domain, most: uint, flags: uint }),
    flags: { known: 0, refusedBy: "qemuDomainGetDiskErrors" },
    result: struct({ errors: array(struct({ disk: text, error: int }), MOST_ERRORS), count: int }),
    async run(call) {
      const { most } = call.args;
      // The client asks first for how many errors it needs room.
      if (most === 0) return { errors: [], count: countDisks(call.instance, keyOf(call)) };
      if (most > MOST_ERRORS) throw tooManyErrors();
      const found = (await listDiskErrors(call.instance, keyOf(call))).slice(0, most);
      const errors = found.map(({ error, target }) => ({ disk: target, error: DISK_ERRORS[error] }));
      return { errors, count: errors.length };
    },
  }),
];

/** remoteDispatchDomainGetDiskErrors() of libvirt */
function tooManyErrors(): SvirtError {
  return new SvirtError("internal error: maxerrors too large", {
    kind: "usage",
    libvirt: "INTERNAL_ERROR",
    remedy: `Ask for at most ${MOST_ERRORS} errors.`,
  });
}

/** Returns QEMU's names of keys. Throws "usage" for numbers that no key has, and for an unknown set. */
function qcodesOf(number: number, keys: readonly number[]): readonly string[] {
  if (keys.length === 0)
    throw invalidArgument("nkeycodes in virDomainSendKey must be greater than zero", "Name a key.", "DOMAIN");
  const codeset = CODESETS[number];
  if (codeset === undefined)
    throw invalidArgument(`Unsupported codeset '${number}'`, "Use VIR_KEYCODE_SET_LINUX.", "DOMAIN");
  return keys.map((key) => {
    const qcode = qcodeIn(codeset, key);
    if (qcode !== undefined) return qcode;
    // qemuDomainSendKey() of libvirt
    throw new SvirtError(
      `internal error: cannot translate keycode ${key} of ${codeset} codeset to qnum keycode`,
      {
        kind: "usage",
        libvirt: "INTERNAL_ERROR",
        remedy: "Name keys of a keyboard: virsh send-key DOMAIN KEY_A",
      },
    );
  });
}

async function dump(
  call: RemoteCall<ValueOf<typeof pathArguments>>,
  format: number,
): Promise<Record<never, never>> {
  const { flags, path } = call.args;
  const options = dumpOptionsOf(flags, format);
  await dumpDomain(call.instance, keyOf(call), { path: absolute(path), options });
  return {};
}

/** virDomainCoreDumpWithFormat() and doCoreDump() of libvirt */
function dumpOptionsOf(flags: number, number: number): DumpOptions {
  const format = FORMATS[number];
  if (number >= FORMATS.length + SEEKING)
    throw invalidArgument(`dumpformat '${number}' is not supported`, "Use another format.", "DOMAIN");
  const [crash, live, reset] = [
    [DUMP.crash, "VIR_DUMP_CRASH"],
    [DUMP.live, "VIR_DUMP_LIVE"],
    [DUMP.reset, "VIR_DUMP_RESET"],
  ] as const;
  onlyOneOf(flags, crash, live);
  const after = onlyOneOf(flags, crash, reset);
  onlyOneOf(flags, live, reset);
  const isMemory = (flags & DUMP.memoryOnly) !== 0;
  if (!isMemory && number !== 0)
    throw unsupported("kdump-compressed format is only supported with memory-only dump");
  if (format === undefined)
    throw unsupported("QEMU must seek in a file of this format, and svirt gives it a pipe");
  return {
    format: isMemory ? format : undefined,
    live: (flags & DUMP.live) !== 0,
    afterwards: after === undefined ? "go-on" : AFTERWARDS[after],
  };
}

function unsupported(why: string): SvirtError {
  return new SvirtError(`Operation not supported: ${why}`, {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy: "Use virsh dump --memory-only --format kdump-zlib.",
  });
}
