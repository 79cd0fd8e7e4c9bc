import { SvirtError } from "../../../errors.ts";
import type { DumpOptions } from "../../../plan/actions/stream.ts";
import { dumpDomain, planDumpOf } from "../../../vm/save/dump-domain.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { type Call, type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { CRASH_OPTION, crashDrill } from "../../crash-drill.ts";
import { oneLine } from "../../output/one-line.ts";
import { VERBOSE_OPTION, withProgress } from "../../output/progress.ts";

/** Formats of virsh. QEMU decides whether it supports them. */
const FORMATS = ["elf", "kdump-zlib", "kdump-lzo", "kdump-snappy", "win-dmp"];
const SEEKING = ["kdump-raw-zlib", "kdump-raw-lzo", "kdump-raw-snappy"];

/** `svirt dump DOMAIN FILE` */
export const command: Command = {
  spec: {
    name: "dump",
    summary: "write a guest's memory to a file, for debugging",
    details: [
      "With --memory-only the file is a core for crash or gdb, otherwise QEMU's migration stream, as virsh dump writes it. The",
      "guest is paused during the dump. The file belongs to root and never has the guest's label.",
    ].join("\n"),
    operands: [DOMAIN_OPERAND, { name: "file", summary: "path of the file to write" }],
    options: [
      { name: "live", summary: "do not pause the vCPUs; with --memory-only QEMU pauses them itself" },
      { name: "crash", summary: "end the guest after the dump" },
      { name: "reset", summary: "reset the guest after the dump" },
      { name: "memory-only", summary: "write memory and vCPU state, as a core" },
      { name: "format", value: "format", summary: `format with --memory-only: ${FORMATS.join(", ")}` },
      VERBOSE_OPTION,
      CRASH_OPTION,
    ],
  },
  plan: async (call) =>
    await planDumpOf(call.instance, operand(call, "domain"), {
      path: operand(call, "file"),
      options: dumpOptionsOf(call),
    }),
  async run(call) {
    const [path, options, observer] = [operand(call, "file"), dumpOptionsOf(call), crashDrill(call)];
    const { name } = await withProgress(call, "Dump", (onProgress) =>
      dumpDomain(call.instance, operand(call, "domain"), { path, options, observer, onProgress }),
    );
    call.output.print(`\nDomain '${name}' dumped to ${oneLine(path)}\n\n`);
    return undefined;
  },
};

function dumpOptionsOf(call: Call): DumpOptions {
  const how = onlyOne(call, ["live", "crash", "reset"]);
  const afterwards = new Map<unknown, DumpOptions["afterwards"]>([
    ["crash", "end"],
    ["reset", "reset"],
  ]);
  return { format: formatOf(call), live: how === "live", afterwards: afterwards.get(how) ?? "go-on" };
}

function formatOf({ options }: Call): string | undefined {
  const format = options.get("format");
  if (options.has("memory-only")) return known(format ?? "elf");
  if (format === undefined) return undefined;
  throw refused("--format only works with --memory-only", "usage", "Add --memory-only.");
}

function known(format: string): string {
  if (FORMATS.includes(format)) return format;
  if (!SEEKING.includes(format)) {
    throw refused(`format '${format}' is not supported`, "usage", `Write one of ${FORMATS.join(", ")}.`);
  }
  const why = "QEMU must seek in the file, and svirt gives it a pipe";
  throw refused(`Cannot dump in the format ${format}: ${why}`, "unsupported", "Write --format kdump-zlib.");
}

function refused(message: string, kind: "usage" | "unsupported", remedy: string): SvirtError {
  return new SvirtError(message, { kind, remedy });
}
